// Files of keys, opened and created with the care that secrets need.

import Foundation

extension KeyFile {
    /// The text and the mode of a small regular file.
    static func read(_ path: String) throws(ZeroMQError) -> (text: String, mode: mode_t) {
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
        return (text, status.st_mode)
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
