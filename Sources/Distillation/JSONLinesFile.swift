// A file of one JSON object a line, read with bounds.
import Foundation

/// The lines of a file, each with its number.
struct JSONLinesFile {
    struct Line {
        /// From 1.
        let number: Int
        let bytes: Data
    }

    /// The lines that are not blank.
    let lines: [Line]

    /// The most bytes a file may have.
    static let fileByteLimit = 512 << 20
    /// The most bytes a line may have.
    static let lineByteLimit = 1 << 20

    /// Reads the file; what is wrong goes to `problems`, and lines that are too long are left out.
    /// - Parameter name: the file's name in messages.
    init(path: String, name: String, missingRemedy: String, problems: inout ProblemList) {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard let attributes else {
            problems.add(name, nil, "is missing", missingRemedy)
            lines = []
            return
        }
        let byteCount = (attributes[.size] as? Int) ?? 0
        guard attributes[.type] as? FileAttributeType == .typeRegular,
            byteCount <= Self.fileByteLimit
        else {
            let isLarge = byteCount > Self.fileByteLimit
            problems.add(
                name, nil, isLarge ? "is larger than 512 MiB" : "is not a regular file",
                isLarge ? "split the data set" : "write one JSON object a line into a file there")
            lines = []
            return
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            problems.add(name, nil, "cannot be read", "check the file's permissions")
            lines = []
            return
        }
        lines = Self.split(data, name, &problems)
    }

    private static func split(
        _ data: Data, _ name: String, _ problems: inout ProblemList
    ) -> [Line] {
        var lines: [Line] = []
        let parts = data.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            guard part.contains(where: { $0 > 0x20 }) else { continue }
            guard part.count <= lineByteLimit else {
                problems.add(
                    name, index + 1, "has \(part.count) bytes", "keep a line below 1 MiB")
                continue
            }
            lines.append(Line(number: index + 1, bytes: part))
        }
        return lines
    }
}
