// How much a store may still grow. New jobs stop short of the end, so that those accepted before
// can be finished on a disk that fills up: an ending needs room, too.

import Foundation
import GRDB

/// Measures what is free: below the store's own bound and on its file system.
struct StoreRoom {
    private let folder: String
    private let maximumBytes: Int64?
    private let reserveBytes: Int64

    init(folder: String, options: JobStore.Options) {
        self.folder = folder
        maximumBytes = options.maximumBytes
        reserveBytes = min(options.reserveBytes, (options.maximumBytes ?? .max) / 4)
    }

    /// Bytes that new jobs may take, negative where the reserve is touched.
    func available(_ db: Database) throws -> Int64 {
        func number(_ pragma: String) throws -> Int64 {
            try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA \(pragma)")) ?? 0
        }
        let pageSize = try number("page_size")
        let freePages = try number("freelist_count") * pageSize
        var free = freePages + fileSystemBytes()
        if let maximumBytes {
            free = min(free, maximumBytes - (try number("page_count") * pageSize - freePages))
        }
        return free - reserveBytes
    }

    /// A file system that does not say counts as boundless: its own error comes soon enough.
    private func fileSystemBytes() -> Int64 {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return .max / 4 }
        let bytes = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return bytes.overflow ? .max / 4 : Int64(clamping: min(bytes.partialValue, 1 << 60))
    }
}
