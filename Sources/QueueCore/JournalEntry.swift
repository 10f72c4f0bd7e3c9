// What must outlive the broker: one row a job, and the counter of ids.

/// A change of the journal. Entries are idempotent; only their order for one job matters.
public enum JournalEntry: Equatable, Sendable, Codable {
    /// Insert a job, or replace its row before its first attempt; the id counter is at least its
    /// number from now on.
    case accepted(DurableJob)
    /// Replace the changing half of a job's row. With a phase `ended` or `expired` the payload
    /// is not needed any more.
    case changed(JobID, JobState)
    /// The same, and delete the job's finished images: it begins again.
    case startedOver(JobID, JobState)
    /// Delete a job's row.
    case forgotten(JobID)
}

/// A job's row.
public struct DurableJob: Equatable, Sendable, Codable {
    /// The job's number.
    public let id: JobID
    /// The owner.
    public let client: ClientID
    /// What was asked; its payload is emptied when the job has ended.
    public var submission: Submission
    /// The submission's content hash, kept when the payload is not.
    public let fingerprint: UInt64
    /// When it was accepted.
    public let acceptedAt: Instant
    /// The changing half.
    public var state: JobState

    /// Describes a row, as a store reads it.
    public init(
        id: JobID, client: ClientID, submission: Submission, fingerprint: UInt64,
        acceptedAt: Instant, state: JobState
    ) {
        self.id = id
        self.client = client
        self.submission = submission
        self.fingerprint = fingerprint
        self.acceptedAt = acceptedAt
        self.state = state
    }
}

/// The changing half of a job's row.
public struct JobState: Equatable, Sendable, Codable {
    /// Where in its life the job is.
    public var phase: JobPhase = .waiting
    /// The last assignment's number; 0 before the first.
    public var attempt: UInt32 = 0
    /// Retriable errors so far.
    public var errors = 0
    /// Worker deaths and hangs since the last release from quarantine.
    public var deaths = 0
    /// From where the next attempt goes on.
    public var resume: ResumePoint?
    /// The kind of worker that made the resume point and the finished images; nil without them.
    public var origin: WorkOrigin?
    /// The name of the last worker; nil where nothing is left of its work.
    public var worker: String?
    /// The last start.
    public var startedAt: Instant?
    /// When the job ended, or expired if it has.
    public var endedAt: Instant?

    /// A job just accepted.
    public init() {}
}

/// Where in its life a job is.
public enum JobPhase: Equatable, Sendable, Codable {
    /// In the queue, or pausing after an error.
    case waiting
    /// Assigned to the worker named in the state.
    case leased
    /// Kept from the workers.
    case quarantined(Quarantine)
    /// Over; the outcome is kept.
    case ended(JobEnding)
    /// Over; only this is still known.
    case expired
}

/// The journal's content, as the store reads it after a restart.
public struct JournalSnapshot: Equatable, Sendable, Codable {
    /// The number of the last job ever accepted.
    public var lastJob: UInt64
    /// All rows, ascending by id.
    public var jobs: [DurableJob]

    /// Makes a snapshot of rows in ascending order.
    public init(lastJob: UInt64 = 0, jobs: [DurableJob] = []) {
        self.lastJob = lastJob
        self.jobs = jobs
    }
}

/// The meaning of the entries: a journal in memory, the model for what a store must do.
public struct JournalModel: Sendable {
    private var rows: [JobID: DurableJob] = [:]
    private var lastJob: UInt64 = 0

    /// An empty journal.
    public init() {}

    /// Takes an entry.
    public mutating func apply(_ entry: JournalEntry) {
        switch entry {
        case .accepted(let job):
            rows[job.id] = job
            lastJob = max(lastJob, job.id.number)
        case .changed(let id, let state), .startedOver(let id, let state):
            rows[id]?.state = state
            switch state.phase {
            case .ended, .expired: rows[id]?.submission.payload = []
            case .waiting, .leased, .quarantined: break
            }
        case .forgotten(let id):
            rows[id] = nil
        }
    }

    /// The content, ascending by id.
    public var snapshot: JournalSnapshot {
        JournalSnapshot(lastJob: lastJob, jobs: rows.values.sorted { $0.id < $1.id })
    }
}
