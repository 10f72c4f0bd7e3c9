// A folder of its own for each test.
import Foundation

/// A new folder, removed with everything in it when the value is let go.
public final class TemporaryFolder {
    public let path: String

    public init() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The names of all entries, hidden ones included.
    public var entries: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    public func file(_ name: String) -> String { "\(path)/\(name)" }

    public func url(_ name: String) -> URL { URL(fileURLWithPath: file(name)) }

    public func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: file(name))
    }

    public func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: url(name))
    }

    public func data(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }
}
