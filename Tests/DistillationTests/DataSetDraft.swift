// A small data set in a temporary folder, for tests to damage.
import Foundation
import ImagePipeline
import TestSupport

/// Writes images and a metadata.jsonl; removes them in the end.
final class DataSetDraft {
    let path: String
    var lines: [String] = []

    init() throws {
        path = TemporaryFiles.path("set")
        for folder in ["images", "masks"] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
    }

    /// Writes an RGB image of one colour that gets brighter by one level a column.
    func addImage(
        _ name: String, color: (UInt8, UInt8, UInt8) = (10, 20, 30), width: Int = 8, height: Int = 6
    ) throws {
        var pixels: [UInt8] = []
        for _ in 0..<height {
            for column in 0..<UInt8(width) {
                pixels += [color.0 + column, color.1 + column, color.2 + column]
            }
        }
        try add(PNGEncoder.encode(pixels: pixels, width: width, height: height), as: name)
    }

    func add(_ bytes: [UInt8], as name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// Writes metadata.jsonl from `lines`.
    @discardableResult
    func finish() throws -> String {
        try add(Array(lines.map { $0 + "\n" }.joined().utf8), as: "metadata.jsonl")
        return path
    }
}
