// The durable journal and the results, in one SQLite file: a turn is one transaction, so there is
// no moment at which a job is known and its bytes are not, or the other way round.
//
// Blobs (resume states, results) are rows and not files beside the database: files would need an
// fsync of their own and of their folder before each commit, and a sweep for halves after a crash.

import Foundation
import GRDB
import QueueCore

/// The broker's memory across restarts. It belongs to the thread that uses it.
public final class JobStore {
    /// Options of a store.
    public struct Options: Sendable {
        /// The largest the file may grow; nil: as the file system allows.
        public var maximumBytes: Int64?
        /// Room that new jobs must leave to the endings of those accepted already; of a store with
        /// a largest size at most a quarter.
        public var reserveBytes: Int64 = 64 << 20
        /// The page cache.
        public var cacheBytes: Int64 = 16 << 20

        /// The defaults.
        public init() {}
    }

    /// The database's path.
    public let path: String
    /// A random number drawn when the store was made.
    public let nonce: UInt64
    /// Bytes that new jobs may take, as of the last transaction or `measureRoom`; 0 or less: none,
    /// the reserve is for the endings of the others.
    public private(set) var availableBytes: Int64 = 0
    private let room: StoreRoom
    let database: DatabaseQueue
    private let lock: StoreLock
    private var lastBlob: UInt64
    private var lastJob: UInt64
    /// Jobs with finished images in the store, so that others need no deletion.
    private var jobsWithImages: Set<JobID>

    /// Opens the store of a folder, or makes it.
    ///
    /// Bytes that nothing refers to are deleted.
    /// - Throws: `inUse` where another broker has it; `corrupt`, `readOnly`, `full` and the like.
    public init(folder: String, options: Options = Options()) throws(JobStoreError) {
        let path = folder + "/turbine.sqlite"
        self.path = path
        room = StoreRoom(folder: folder, options: options)
        lock = try StoreLock(folder: folder)
        do {
            database = try StoreSchema.open(path, options: options)
            let opened = try StoreSchema.prepare(database, path: path)
            nonce = opened.nonce
            lastJob = opened.lastJob
            lastBlob = opened.lastBlob
            jobsWithImages = opened.jobsWithImages
        } catch {
            throw JobStoreError(error, at: path)
        }
        measureRoom()
    }

    /// A handle for new bytes; it is not used again, whether they are stored or not.
    public func makeHandle() -> BlobHandle {
        lastBlob += 1
        return BlobHandle(number: lastBlob)
    }

    /// Makes a turn durable: all of it is on disk when this returns, none if it throws.
    public func commit(_ turn: StoreTurn) throws(JobStoreError) {
        do {
            let (jobsWithImages, available) = try database.inDatabase { db in
                var images = self.jobsWithImages
                try db.inTransaction(.immediate) {
                    try self.write(turn, &images, db)
                    return .commit
                }
                return (images, try self.room.available(db))
            }
            self.jobsWithImages = jobsWithImages
            availableBytes = available
            for case .accepted(let job) in turn.entries { lastJob = max(lastJob, job.id.number) }
        } catch {
            throw JobStoreError(error, at: path)
        }
    }

    /// Looks again how much room there is: the file system has other users.
    public func measureRoom() {
        let available = try? database.inDatabase { db in try room.available(db) }
        availableBytes = available ?? 0
    }

    /// Writes and takes back a small row: whether the store can be written (again). That larger
    /// ones may not fit yet must keep nobody from ending what needs little or gives room back.
    public func probe() throws(JobStoreError) {
        do {
            try database.inDatabase { db in
                try db.inTransaction(.immediate) {
                    try db.execute(
                        sql: "INSERT INTO blobs (handle, bytes) VALUES (-1, zeroblob(1024))")
                    try db.execute(sql: "DELETE FROM blobs WHERE handle = -1")
                    try db.execute(sql: "UPDATE meta SET value = value + 1 WHERE key = 'probes'")
                    return .commit
                }
            }
        } catch {
            throw JobStoreError(error, at: path)
        }
    }

    /// The bytes of a handle; nil if they are not stored.
    public func blob(_ handle: BlobHandle) throws(JobStoreError) -> [UInt8]? {
        do {
            return try database.inDatabase { db in
                let number = Int64(bitPattern: handle.number)
                let data = try Data.fetchOne(
                    db.cachedStatement(sql: "SELECT bytes FROM blobs WHERE handle = ?"),
                    arguments: [number])
                return data.map { [UInt8]($0) }
            }
        } catch {
            throw JobStoreError(error, at: path)
        }
    }

    /// The finished images of a job that is at work, by ascending index.
    public func images(of job: JobID) throws(JobStoreError) -> [StoredImage] {
        guard jobsWithImages.contains(job) else { return [] }
        do {
            return try database.inDatabase { db in
                try Row.fetchAll(
                    db, sql: "SELECT number, bytes FROM images WHERE job = ? ORDER BY number",
                    arguments: [Int64(bitPattern: job.number)]
                ).map { row in
                    let data: Data = row[1]
                    return StoredImage(job: job, index: row[0], bytes: [UInt8](data))
                }
            }
        } catch {
            throw JobStoreError(error, at: path)
        }
    }

    /// Everything the queue needs to go on.
    public func snapshot() throws(JobStoreError) -> JournalSnapshot {
        do {
            let jobs = try database.inDatabase { db in try StoreSchema.readJobs(db, path: path) }
            return JournalSnapshot(lastJob: lastJob, jobs: jobs)
        } catch {
            throw JobStoreError(error, at: path)
        }
    }

    /// Bytes of the file, free pages included.
    public func byteCount() -> Int64 {
        let count = try? database.inDatabase { db in
            try Int64.fetchOne(
                db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        }
        return (count ?? nil) ?? 0
    }

    /// Writes what the log holds into the file and lets the file and its lock go.
    public func close() throws(JobStoreError) {
        do {
            try database.close()
        } catch {
            throw JobStoreError(error, at: path)
        }
    }

    private func write(
        _ turn: StoreTurn, _ images: inout Set<JobID>, _ db: Database
    ) throws {
        if !turn.blobs.isEmpty {
            let insert = try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO blobs (handle, bytes) VALUES (?, ?)")
            for (handle, bytes) in turn.blobs {
                try insert.execute(
                    arguments: [Int64(bitPattern: handle.number), Data(bytes)])
            }
        }
        for image in turn.images {
            try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO images (job, number, bytes) VALUES (?, ?, ?)"
            ).execute(
                arguments: [Int64(bitPattern: image.job.number), image.index, Data(image.bytes)])
            images.insert(image.job)
        }
        if !turn.entries.isEmpty { try write(turn.entries, &images, db) }
        for handle in turn.discarded where turn.blobs[handle] == nil {
            try db.cachedStatement(sql: "DELETE FROM blobs WHERE handle = ?")
                .execute(arguments: [Int64(bitPattern: handle.number)])
        }
    }

    private func write(
        _ entries: [JournalEntry], _ images: inout Set<JobID>, _ db: Database
    ) throws {
        let statements = try EntryStatements(db)
        var highest: UInt64 = 0
        for entry in entries {
            try statements.execute(entry)
            var withoutImages: JobID?
            switch entry {
            case .accepted(let job): highest = max(highest, job.id.number)
            case .changed(let id, let state): if state.isOver { withoutImages = id }
            case .startedOver(let id, _), .forgotten(let id): withoutImages = id
            }
            if let withoutImages, images.remove(withoutImages) != nil {
                try db.execute(
                    sql: "DELETE FROM images WHERE job = ?",
                    arguments: [Int64(bitPattern: withoutImages.number)])
            }
        }
        if highest > lastJob {
            try db.cachedStatement(sql: "UPDATE meta SET value = ? WHERE key = 'last_job'")
                .execute(arguments: [Int64(bitPattern: highest)])
        }
    }
}

extension JobState {
    /// Whether the payload and the images at work are not needed any more.
    var isOver: Bool {
        switch phase {
        case .ended, .expired: true
        case .waiting, .leased, .quarantined: false
        }
    }
}
