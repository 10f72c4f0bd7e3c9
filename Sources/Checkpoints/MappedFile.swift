// A file mapped into memory, read-only and shared with other processes.
import Glibc

/// The bytes of a file, mapped; pages are loaded when touched and shared between processes.
public final class MappedFile {
    public let path: String
    public let bytes: UnsafeRawBufferPointer

    public init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CheckpointError(
                .missingFile, "cannot be opened: \(String(cString: strerror(errno)))", file: path,
                remedy: "check that the file is there and readable")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(
                .missingFile, "is not a regular file", file: path,
                remedy: "name a checkpoint file")
        }
        let count = Int(status.st_size)
        self.path = path
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw CheckpointError(
                .missingFile, "cannot be mapped: \(String(cString: strerror(errno)))", file: path,
                remedy: "check the address space limit (ulimit -v)")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
    }

    deinit {
        if let base = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
        }
    }
}
