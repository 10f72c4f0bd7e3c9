// Files of keys, opened and created with the care that secrets need.

import Foundation

extension KeyFile {
    /// Whether others than its owner and this process may read a file. Where a file belongs to
    /// somebody else, as a mounted secret does to root, its group is how this process gets at it.
    static func isOpen(mode: mode_t, owner: uid_t, user: uid_t = geteuid()) -> Bool {
        mode & (owner == user ? 0o077 : 0o037) != 0
    }

    /// The text of a small regular file, and whether it is open to others.
    static func read(_ path: String) throws(ZeroMQError) -> (text: String, isOpen: Bool) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw fault(path, String(cString: strerror(errno)), "make it readable")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= maximumBytes
        else {
            throw fault(path, "it is no small file", "name a key file")
        }
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0, count <= maximumBytes,
            let text = String(validating: bytes[..<count], as: UTF8.self)
        else {
            throw fault(path, "it is no text", "name a key file")
        }
        return (text, isOpen(mode: status.st_mode, owner: status.st_uid))
    }

    /// A new file with the text; nothing of it is left behind on a failure.
    static func create(_ path: String, _ text: String, mode: mode_t) throws(ZeroMQError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw fault(
                path, String(cString: strerror(errno)), "choose another name or folder")
        }
        let bytes = Array(text.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        let isSynced = fsync(descriptor) == 0
        guard close(descriptor) == 0, isSynced, written == bytes.count else {
            unlink(path)
            throw fault(path, "it cannot be written whole", "make room for it")
        }
    }

    static func fault(_ path: String, _ what: String, _ remedy: String) -> ZeroMQError {
        ZeroMQError(.invalidFile, what, location: path, remedy: remedy)
    }
}
