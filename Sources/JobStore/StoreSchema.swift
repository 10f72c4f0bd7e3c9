// The database's tables, and the checks when it is opened.

import Foundation
import GRDB
import QueueCore

enum StoreSchema {
    /// Raised when the tables change; an older program refuses a newer file.
    static let version = 1
    /// "TURB": tells the file from other SQLite databases.
    static let applicationID = 0x5455_5242
    /// A whole check of larger files would hold up a start; their rows are still read and decoded.
    static let largestCheckedBytes: Int64 = 64 << 20

    /// What opening found.
    struct Opened {
        var nonce: UInt64
        var lastJob: UInt64
        var lastBlob: UInt64
        var jobsWithImages: Set<JobID>
    }

    static func open(_ path: String, options: JobStore.Options) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "JobStore"
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
            try db.execute(sql: "PRAGMA cache_size = -\(options.cacheBytes / 1024)")
            if let maximum = options.maximumBytes {
                let size = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
                try db.execute(sql: "PRAGMA max_page_count = \(max(1, maximum / size))")
            }
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    static func prepare(_ database: DatabaseQueue, path: String) throws -> Opened {
        try database.inDatabase { db in
            try check(db, path)
            var opened: Opened?
            try db.inTransaction(.immediate) {
                try create(db)
                opened = try sweep(db, path)
                return .commit
            }
            guard let opened else { throw corrupt(path, "it has no content") }
            return opened
        }
    }

    /// Every row, ascending by id.
    static func readJobs(_ db: Database, path: String) throws -> [DurableJob] {
        var jobs: [DurableJob] = []
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, client, request, details, payload, fingerprint, accepted_at, state
                FROM jobs ORDER BY id
                """)
        while let row = try rows.next() { jobs.append(try job(row, path)) }
        return jobs
    }

    private static func job(_ row: Row, _ path: String) throws -> DurableJob {
        let number: Int64 = row[0]
        let (details, payload, state): (Data, Data, Data) = (row[3], row[4], row[7])
        let (client, request): (String, String) = (row[1], row[2])
        let (fingerprint, acceptedAt): (Int64, Int64) = (row[5], row[6])
        do throws(ByteReader.Malformed) {
            return DurableJob(
                id: JobID(number: UInt64(bitPattern: number)), client: ClientID(name: client),
                submission: try Submission(
                    request: request, details: [UInt8](details), payload: [UInt8](payload)),
                fingerprint: UInt64(bitPattern: fingerprint),
                acceptedAt: Instant(microseconds: acceptedAt),
                state: try JobState(encoded: [UInt8](state)))
        } catch {
            throw corrupt(path, "the row of job \(number) cannot be read")
        }
    }

    private static func check(_ db: Database, _ path: String) throws {
        let identity = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard identity == applicationID || tables == 0 else {
            throw corrupt(path, "it is another program's database")
        }
        guard version <= Self.version else {
            throw JobStoreError(
                .unknownVersion, "it has the version \(version)", at: path,
                remedy: "use the program that wrote it, or a newer one")
        }
        let bytes = try Int64.fetchOne(
            db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        guard (bytes ?? 0) <= largestCheckedBytes else { return }
        let verdict = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
        guard verdict == "ok" else { throw corrupt(path, verdict) }
    }

    private static func create(_ db: Database) throws {
        try db.execute(
            sql: """
                PRAGMA application_id = \(applicationID);
                PRAGMA user_version = \(version);
                CREATE TABLE IF NOT EXISTS meta
                    (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS jobs (
                    id INTEGER PRIMARY KEY, client TEXT NOT NULL, request TEXT NOT NULL,
                    details BLOB NOT NULL, payload BLOB NOT NULL, fingerprint INTEGER NOT NULL,
                    accepted_at INTEGER NOT NULL, state BLOB NOT NULL);
                CREATE TABLE IF NOT EXISTS blobs (handle INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
                CREATE TABLE IF NOT EXISTS images (
                    job INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
                    PRIMARY KEY (job, number));
                INSERT OR IGNORE INTO meta VALUES ('last_job', 0), ('probes', 0),
                    ('nonce', \(Int64.random(in: .min ... .max)));
                UPDATE meta SET value = value + 1 WHERE key = 'probes';
                """)
    }

    /// Deletes bytes that nothing refers to, and finds where the counters stand.
    private static func sweep(_ db: Database, _ path: String) throws -> Opened {
        var referenced: Set<Int64> = []
        var running: Set<JobID> = []
        for job in try readJobs(db, path: path) {
            if let resume = job.state.resume {
                referenced.insert(Int64(bitPattern: resume.blob.number))
            }
            if case .ended(.completed(let result)) = job.state.phase {
                referenced.insert(Int64(bitPattern: result.blob.number))
            }
            if !job.state.isOver { running.insert(job.id) }
        }
        let handles = try Int64.fetchAll(db, sql: "SELECT handle FROM blobs")
        for handle in handles where !referenced.contains(handle) {
            try db.execute(sql: "DELETE FROM blobs WHERE handle = ?", arguments: [handle])
        }
        let found = Set(handles)
        guard referenced.isSubset(of: found) else {
            throw corrupt(path, "bytes that a job refers to are missing")
        }
        let owners = try Int64.fetchSet(db, sql: "SELECT DISTINCT job FROM images")
        let jobs = Set(owners.map { JobID(number: UInt64(bitPattern: $0)) })
        for job in jobs.subtracting(running) {
            try db.execute(
                sql: "DELETE FROM images WHERE job = ?",
                arguments: [Int64(bitPattern: job.number)])
        }
        func meta(_ key: String) throws -> UInt64 {
            let sql = "SELECT value FROM meta WHERE key = ?"
            guard let value = try Int64.fetchOne(db, sql: sql, arguments: [key]) else {
                throw corrupt(path, "“\(key)” is missing")
            }
            return UInt64(bitPattern: value)
        }
        return Opened(
            nonce: try meta("nonce"), lastJob: try meta("last_job"),
            lastBlob: UInt64(bitPattern: max(0, referenced.max() ?? 0)),
            jobsWithImages: jobs.intersection(running))
    }

    static func corrupt(_ path: String, _ what: String) -> JobStoreError {
        JobStoreError(
            .corrupt, what, at: path, remedy: "restore the file from a backup or move it away")
    }
}
