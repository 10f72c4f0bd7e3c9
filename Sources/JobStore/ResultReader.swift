// Reads outcomes beside the broker that writes them: WAL lets readers in at any time, so a status
// page costs the broker's thread nothing. Each read opens the file and closes it again; nothing is
// held that could delay a checkpoint or the broker's own closing.

import Foundation
import GRDB
import QueueCore

/// Reads stored bytes of a store that a broker has open; for any thread.
public struct ResultReader: Sendable {
    private let path: String

    /// Prepares to read the store of a folder; nothing is opened yet.
    public init(folder: String) { path = folder + "/turbine.sqlite" }

    /// The bytes of a handle; nil if they are not stored (any more) or are more than `limit`.
    /// - Throws: `JobStoreError` where the file cannot be read.
    public func bytes(of handle: BlobHandle, limit: Int) throws(JobStoreError) -> [UInt8]? {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.label = "ResultReader"
            configuration.busyMode = .timeout(2)
            let database = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? database.close() }
            return try database.read { db in
                // A blob's length is in its header: bytes beyond the limit are not read.
                try Data.fetchOne(
                    db, sql: "SELECT bytes FROM blobs WHERE handle = ? AND length(bytes) <= ?",
                    arguments: [Int64(bitPattern: handle.number), limit]
                ).map { [UInt8]($0) }
            }
        } catch {
            throw JobStoreError(error, at: path)
        }
    }
}
