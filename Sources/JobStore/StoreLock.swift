// One broker a folder: a lock that ends with its process, however that ends.

import Foundation

/// Holds the folder's lock while it lives.
final class StoreLock {
    private let descriptor: Int32

    init(folder: String) throws(JobStoreError) {
        let path = folder + "/turbine.lock"
        var status = stat()
        if stat(folder, &status) != 0 {
            guard mkdir(folder, 0o700) == 0 else {
                throw Self.fault(folder, "name a folder whose parent exists")
            }
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.fault(path, "make the folder writable") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw JobStoreError(
                .inUse, "another broker has this store", at: folder,
                remedy: "stop it, or give this one a folder of its own")
        }
    }

    deinit { close(descriptor) }

    private static func fault(_ path: String, _ remedy: String) -> JobStoreError {
        let code: JobStoreError.Code = errno == EROFS || errno == EACCES ? .readOnly : .cannotOpen
        return JobStoreError(code, String(cString: strerror(errno)), at: path, remedy: remedy)
    }
}
