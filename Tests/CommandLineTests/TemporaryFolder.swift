// A folder of its own for each test.
import Foundation

/// A new folder, removed with everything in it when the value is let go.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The names of all entries, hidden ones included.
    var entries: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func url(_ name: String) -> URL { URL(fileURLWithPath: file(name)) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: url(name))
    }

    func data(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }
}
