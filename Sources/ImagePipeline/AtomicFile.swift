// A file that appears whole or not at all: bytes go to a nameless or temporary file in the same
// folder, which takes the final name in one step when everything is on disk.

import Foundation

/// A file being written; it gets its name with `commit()`, and leaves no trace without it.
///
/// Where the file system can, the bytes have no name at all until then (`O_TMPFILE`), so that not
/// even a killed process leaves a partial file behind. Bytes are buffered. Not thread-safe.
public final class AtomicFile: ByteSink {
    /// The path that the file gets.
    public let path: String

    private let target: Target
    private var descriptor: Int32
    private var temporaryPath: String?
    private var buffer: [UInt8] = []
    private static let bufferLimit = 1 << 16

    /// Opens the file. An existing file at `path` stays as it is until `commit()`.
    /// - Throws: `GenerationError` (`unwritableOutput`), as `checkWritable` does.
    public convenience init(path: String) throws {
        try self.init(path: path, prefersNameless: true)
    }

    /// `prefersNameless`: false keeps to a temporary name, as on file systems without `O_TMPFILE`.
    init(path: String, prefersNameless: Bool) throws {
        self.path = path
        target = try Target(path)
        (descriptor, temporaryPath) = try target.openTemporary(prefersNameless: prefersNameless)
    }

    deinit {
        discard()
    }

    /// Tells before any heavy work whether a file can be written at `path`: the folder exists and
    /// takes new files, and what stands at `path`, if anything, is a regular file that may be
    /// replaced.
    /// - Throws: `GenerationError` (`unwritableOutput`) that names the path and the reason.
    public static func checkWritable(_ path: String) throws {
        try AtomicFile(path: path).discard()
    }

    /// Writes `bytes` as the whole content of the file at `path`.
    public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        let file = try AtomicFile(path: path)
        try Array(bytes).withUnsafeBytes { try file.write($0) }
        try file.commit()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferLimit { try flush() }
    }

    /// Puts the bytes on disk and gives the file its name, in place of what stood there.
    /// After an error the file is gone.
    public func commit() throws {
        do {
            try flush()
            guard fsync(descriptor) == 0 else { throw target.systemError() }
            if temporaryPath == nil { temporaryPath = try target.nameTemporary(descriptor) }
            guard let temporaryPath, rename(temporaryPath, target.path) == 0 else {
                throw target.systemError()
            }
        } catch {
            discard()
            throw error
        }
        temporaryPath = nil
        close(descriptor)
        descriptor = -1
        target.synchronizeFolder()
    }

    /// Gives the file up: what was written is removed. Does nothing after `commit()`.
    public func discard() {
        if let temporaryPath { unlink(temporaryPath) }
        temporaryPath = nil
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func flush() throws {
        guard descriptor >= 0 else {
            throw GenerationError(
                code: .internalError, field: path, what: "written to after it was closed")
        }
        try buffer.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let count = Foundation.write(
                    descriptor, bytes.baseAddress! + start, bytes.count - start)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw target.systemError() }
                start += count
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Where the file is to stand, links followed and checked.
private struct Target {
    /// The path as the caller wrote it, for messages.
    let name: String
    /// The file itself, behind symbolic links.
    let path: String
    let folder: String

    init(_ name: String) throws {
        self.name = name
        guard !name.isEmpty, !name.utf8.contains(0), !name.hasSuffix("/") else {
            throw Self.error(name, "not a file name", "name a file, for example image.png")
        }
        var status = stat()
        if stat(name, &status) == 0 {
            switch status.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR: throw Self.error(name, "a folder", "name a file inside it")
            default: throw Self.error(name, "not a regular file", "name another file")
            }
            guard access(name, W_OK) == 0, let resolved = realpath(name, nil) else {
                throw Self.systemError(name)
            }
            path = String(cString: resolved)
            free(resolved)
        } else {
            guard errno == ENOENT else { throw Self.systemError(name) }
            path = name
        }
        folder = Self.folder(of: path)
        if stat(folder, &status) != 0 {
            throw Self.error(
                name, "the folder \(GenerationError.quote(folder)) does not exist",
                "create it or name another folder")
        }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Opens a new file in the folder: without a name where possible.
    func openTemporary(prefersNameless: Bool) throws -> (descriptor: Int32, path: String?) {
        if prefersNameless, let descriptor = openNameless() { return (descriptor, nil) }
        for _ in 0..<16 {
            let candidate = randomPath()
            let descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return (descriptor, candidate) }
            guard errno == EEXIST else { break }
        }
        throw systemError()
    }

    /// Opens a file without a name; nil where that is impossible, or where it could not get one
    /// later.
    private func openNameless() -> Int32? {
        let nameless: Int32 = 0o20000000 | O_DIRECTORY  // O_TMPFILE of Linux.
        let descriptor = open(folder, nameless | O_WRONLY | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return nil }
        if access(Self.link(to: descriptor), F_OK) == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    /// Where Linux shows an open file.
    private static func link(to descriptor: Int32) -> String {
        "/proc/self/fd/\(descriptor)"
    }

    /// Gives the nameless file a temporary name, from which it can be renamed over an existing one.
    func nameTemporary(_ descriptor: Int32) throws -> String {
        for _ in 0..<16 {
            let candidate = randomPath()
            let source = Self.link(to: descriptor)
            if linkat(AT_FDCWD, source, AT_FDCWD, candidate, AT_SYMLINK_FOLLOW) == 0 {
                return candidate
            }
            guard errno == EEXIST else { break }
        }
        throw systemError()
    }

    /// Makes the new name durable; file systems that cannot do it are no reason to fail.
    func synchronizeFolder() {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private func randomPath() -> String {
        "\(folder)/.turbine-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).tmp"
    }

    func systemError() -> GenerationError {
        Self.systemError(name)
    }

    private static func systemError(_ name: String) -> GenerationError {
        error(
            name, String(cString: strerror(errno)).lowercased(), "name a file that can be written")
    }

    private static func error(_ name: String, _ what: String, _ remedy: String) -> GenerationError {
        GenerationError(
            code: .unwritableOutput, field: name.isEmpty ? "output file" : name,
            what: "cannot be written: \(what)", remedy: remedy)
    }
}
