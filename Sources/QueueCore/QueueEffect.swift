// What the I/O loop must do. The loop gathers the effects of one turn, commits all `store` entries
// in one transaction, and only then carries out the others, in order.

/// Something to do.
public enum QueueEffect: Equatable, Sendable, Codable {
    /// Make durable, before anything else of this turn leaves the process.
    ///
    /// If the transaction fails, none of the turn's other effects may be carried out: answer the
    /// turn's submissions with `storeUnavailable` and rebuild the queue from the journal.
    case store(JournalEntry)
    /// Answer a client.
    case reply(ConnectionID, tag: UInt64, ClientReply)
    /// Give a worker a job.
    case sendLease(WorkerID, Lease)
    /// Tell a worker to stop a job and then report `leaseReleased`.
    case revokeLease(WorkerID, LeaseID, RevocationReason)
    /// Tell a worker that it may forget a lease it completed, failed or handed back; `isTaken`
    /// is whether what it said counted.
    case confirmLeaseEnd(WorkerID, LeaseID, isTaken: Bool)
    /// Tell a worker that it is known.
    case confirmRegistration(WorkerID)
    /// Tell a worker that it is not known and must register.
    case askToRegister(WorkerID)
    /// Tell a worker that it is one too many, or described itself impossibly.
    case refuseWorker(WorkerID, QueueError)
    /// Delete bytes that nothing refers to any more.
    case discardBlob(BlobHandle)

    /// Whether this must be on disk before the rest of the turn.
    public var isStore: Bool {
        if case .store = self { return true }
        return false
    }
}

/// A job as a worker gets it.
public struct Lease: Equatable, Sendable, Codable {
    /// The job and its attempt, to be repeated in everything about it.
    public var id: LeaseID
    /// The encoded request.
    public var payload: [UInt8]
    /// When it must be finished.
    public var deadline: Instant?
    /// From where to go on; nil is from the start.
    public var resume: ResumePoint?
}

/// Why a worker must stop a job.
public enum RevocationReason: String, Sendable, Codable {
    /// Its end is not wanted any more.
    case cancelled
    /// Its deadline has passed.
    case deadlineExceeded
    /// No step within the hang limit; a worker that cannot stop should end its process.
    case hung
    /// Another attempt has the job, or it has ended.
    case superseded
}

/// An answer to a client.
public enum ClientReply: Equatable, Sendable, Codable {
    /// The job is durable. Not final.
    case accepted(JobID, JobEstimate)
    /// A step was finished. Not final.
    case progress(JobID, step: Int, of: Int, end: Instant?, preview: BlobHandle?)
    /// The job has killed too many workers; an admin decides. Final for this request; attach for
    /// what comes of it.
    case quarantined(JobID, Quarantine)
    /// The job has ended.
    case ended(JobID, JobEnding, JobHistory)
    /// The request was refused.
    case refused(QueueError)
    /// The admin's request was carried out.
    case done(JobID)
    /// The quarantined jobs, oldest first, at most 1000.
    case quarantineList([JobReport])
    /// A quarantined job with its payload.
    case quarantinedJob(JobReport, payload: [UInt8])
}

/// When a job is expected to run.
public struct JobEstimate: Equatable, Sendable, Codable {
    /// Jobs before it, 0 for a running one; ageing may reorder them.
    public var place: Int
    /// Expected start; nil where nothing was measured yet.
    public var start: Instant?
    /// Expected end; nil where nothing was measured yet.
    public var end: Instant?
    /// Why nothing connected could take it, if so.
    public var hold: HoldReason?
}

/// Why a queued job waits for a worker that is not there.
public enum HoldReason: String, Sendable, Codable {
    /// No worker is connected.
    case noWorker
    /// No connected worker has the model loaded.
    case modelNotLoaded
    /// No connected worker has the model and the numerics class.
    case numericsClassNotServed
    /// No connected worker that matches makes images so large.
    case imageTooLarge

    /// The same for a person.
    var sentence: String {
        switch self {
        case .noWorker: "No worker is connected."
        case .modelNotLoaded: "No connected worker has the model that it asks for."
        case .numericsClassNotServed: "No connected worker has the numerics class that it asks for."
        case .imageTooLarge: "No connected worker makes images as large as it asks for."
        }
    }
}

/// How a job ended.
public enum JobEnding: Equatable, Sendable, Codable {
    /// With a result.
    case completed(ResultSummary)
    /// Without one.
    case failed(JobFailure)
    /// Because someone wanted it.
    case cancelled(CancellationReason)

    /// The outcome's name in counters.
    public var code: OutcomeCode {
        switch self {
        case .completed: .completed
        case .failed(let failure): failure.code
        case .cancelled(.byOwner): .cancelledByOwner
        case .cancelled(.byAdmin): .cancelledByAdmin
        case .cancelled(.abandoned): .abandoned
        }
    }
}

/// All outcomes, the labels of the outcome counters.
public enum OutcomeCode: String, CaseIterable, Sendable, Codable {
    case completed, cancelledByOwner, cancelledByAdmin, abandoned
    case deadlineExceeded, permanentError, errorsExhausted, discarded
}

/// Why a job failed.
public struct JobFailure: Equatable, Sendable, Codable {
    /// Which kind of failure.
    public var code: OutcomeCode
    /// The worker's own code, if a worker was the cause.
    public var workerCode: String?
    /// A sentence.
    public var message: String

    /// Describes a failure.
    public init(code: OutcomeCode, workerCode: String?, message: String) {
        self.code = code
        self.workerCode = workerCode
        self.message = message
    }
}

/// Who stopped a job.
public enum CancellationReason: String, Sendable, Codable {
    case byOwner, byAdmin, abandoned
}

/// Why a job is in quarantine.
public struct Quarantine: Equatable, Sendable, Codable {
    /// Workers that died or hung in it since its last release.
    public var deaths: Int
    /// What the last one did.
    public var cause: DeathCause
    /// That worker's name.
    public var worker: String
    /// Since when.
    public var since: Instant

    /// Describes why and since when.
    public init(deaths: Int, cause: DeathCause, worker: String, since: Instant) {
        self.deaths = deaths
        self.cause = cause
        self.worker = worker
        self.since = since
    }
}

/// How a worker ended a job without a word.
public enum DeathCause: String, Sendable, Codable {
    /// No heartbeat.
    case silent
    /// Heartbeats without steps.
    case hung
    /// Another process came back under its name.
    case restarted
}

/// A job's life in figures, sent with its outcome.
public struct JobHistory: Equatable, Sendable, Codable {
    /// Time from acceptance to the last start, or to the end if never started.
    public var queued: TimeSpan
    /// Time from the last start to the end.
    public var running: TimeSpan
    /// Number of assignments.
    public var attempts: UInt32
    /// The last worker's name.
    public var worker: String?
}
