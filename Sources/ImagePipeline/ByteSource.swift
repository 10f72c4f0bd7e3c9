// Where encoded bytes come from: memory or a file read through a buffer (not mapped: a file that
// shrinks while it is read must be an error, not a signal).

import Foundation

/// Gives bytes in order.
protocol ByteSource: AnyObject {
    /// Fills `buffer` and returns how many bytes it holds: fewer than asked for only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// Bytes in memory.
final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - position)
        buffer.copyBytes(from: bytes[position..<position + count])
        position += count
        return count
    }
}

/// A file on disk.
final class FileSource: ByteSource {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>

    /// - Throws: `GenerationError` (`unreadableFile`) when there is no such file to read.
    init(path: String) throws {
        self.path = path
        var status = stat()
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw Self.error(path, "not a file name")
        }
        guard stat(path, &status) == 0 else { throw Self.error(path, Self.systemMessage()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Self.error(path, "not a regular file")
        }
        guard let file = fopen(path, "rbe") else { throw Self.error(path, Self.systemMessage()) }
        self.file = file
    }

    deinit {
        fclose(file)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = fread(buffer.baseAddress, 1, buffer.count, file)
        if count < buffer.count, ferror(file) != 0 {
            throw Self.error(path, Self.systemMessage())
        }
        return count
    }

    /// Reads a whole file of at most `limit` bytes.
    static func contents(of path: String, limit: Int) throws -> [UInt8] {
        let source = try FileSource(path: path)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try source.read(into: $0) }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit else {
                throw GenerationError(
                    code: .resourceLimit, field: path, what: "has more than \(limit) bytes",
                    remedy: "use a smaller file")
            }
            if count < chunk.count { return bytes }
        }
    }

    private static func error(_ path: String, _ what: String) -> GenerationError {
        GenerationError(
            code: .unreadableFile, field: path.isEmpty ? "file name" : path, what: what,
            remedy: "name a file that exists and can be read")
    }

    private static func systemMessage() -> String {
        String(cString: strerror(errno)).lowercased()
    }
}
