// What happens to the queue. The sequence of events with their times is a replay file: the same
// events give the same effects.

/// Something that happened, as the I/O loop tells it.
public enum QueueEvent: Equatable, Sendable, Codable {
    // Clients.

    /// A client wants images.
    case submitted(Submission, by: Requester, limits: ClientLimits)
    /// A client wants to follow a job, or have its outcome again.
    case attachRequested(JobReference, by: Requester)
    /// The owner or an admin wants a job stopped.
    case cancelRequested(JobReference, by: Requester)
    /// What a job's request leaves open is known better than when it was accepted.
    case shapeLearned(JobID, JobShape)
    /// A client's connection is gone.
    case connectionClosed(ConnectionID)
    /// An admin wants the quarantined jobs named.
    case quarantineListRequested(by: Requester)
    /// An admin wants to see a quarantined job, payload included.
    case quarantineInspected(JobID, by: Requester)
    /// An admin gives a quarantined job another chance.
    case quarantineReleased(JobID, by: Requester)
    /// An admin gives a quarantined job up.
    case quarantineDiscarded(JobID, by: Requester)

    // Workers.

    /// A worker introduces itself, for the first time or again.
    case workerRegistered(WorkerID, WorkerDescription, Heartbeat)
    /// A worker lives; says all that it holds.
    case heartbeatReceived(WorkerID, Heartbeat)
    /// A worker leaves; what it held goes back to the queue without blame.
    case workerLeft(WorkerID)
    /// A worker finished step `step` of all the job's steps; `resume` allows to go on from there.
    case stepReported(
        WorkerID, LeaseID, step: Int, resume: ResumePoint?, preview: BlobHandle?)
    /// A worker finished an image, which the loop stores, but not the job.
    case imageFinished(WorkerID, LeaseID)
    /// A worker finished a job.
    case leaseCompleted(WorkerID, LeaseID, ResultSummary)
    /// A job failed on a worker, which itself is well.
    case leaseFailed(WorkerID, LeaseID, WorkerFailure)
    /// A worker gives a job back unfinished, because it drains.
    case leaseHandedBack(WorkerID, LeaseID, resume: ResumePoint?)
    /// A worker has stopped computing a revoked lease.
    case leaseReleased(WorkerID, LeaseID)

    // The loop itself.

    /// `nextDeadline` has come.
    case timePassed
    /// The journal cannot be written: accept nothing, start nothing.
    case journalBecameUnavailable
    /// The journal can be written again.
    case journalBecameAvailable
}

/// What a worker is and can do.
public struct WorkerDescription: Equatable, Sendable, Codable {
    /// Its name, the same after a reconnection.
    public var name: String
    /// Tells one process of that name from the next.
    public var incarnation: UInt64
    /// The loaded models, by all their names; the first decides about `WorkOrigin`.
    public var models: [ModelID]
    /// The numerics class of its results.
    public var numericsClass: NumericsClass
    /// Pixels of the largest image it makes.
    public var pixels: Int
    /// How many jobs it computes at once.
    public var slots: Int

    /// Describes a worker.
    public init(
        name: String, incarnation: UInt64, models: [ModelID], numericsClass: NumericsClass,
        pixels: Int, slots: Int = 1
    ) {
        self.name = name
        self.incarnation = incarnation
        self.models = models
        self.numericsClass = numericsClass
        self.pixels = pixels
        self.slots = slots
    }
}

/// A sign of life that states the whole truth, so that any lost message before it does not matter.
public struct Heartbeat: Equatable, Sendable, Codable {
    /// Counts up within an incarnation; what is not newer than the last is ignored.
    public var sequence: UInt64
    /// Whether it has passed its trial generation.
    public var isReady: Bool
    /// Whether it wants no new jobs.
    public var isDraining: Bool
    /// Its resident memory in bytes, for the status.
    public var residentBytes: Int64
    /// All leases it holds: computing, or finished and not confirmed.
    public var held: [HeldLease]

    /// States what a worker does.
    public init(
        sequence: UInt64, isReady: Bool = true, isDraining: Bool = false,
        residentBytes: Int64 = 0, held: [HeldLease] = []
    ) {
        self.sequence = sequence
        self.isReady = isReady
        self.isDraining = isDraining
        self.residentBytes = residentBytes
        self.held = held
    }
}

/// A lease in a worker's hands.
public struct HeldLease: Equatable, Sendable, Codable {
    /// Which lease.
    public var lease: LeaseID
    /// The last finished step of all the job's steps.
    public var step: Int

    /// Names a lease and its progress.
    public init(lease: LeaseID, step: Int) {
        self.lease = lease
        self.step = step
    }
}

/// From where another worker can go on.
public struct ResumePoint: Equatable, Sendable, Codable {
    /// Finished steps of all the job's steps.
    public var step: Int
    /// The latents after that step and what else the worker needs, opaque to the queue.
    public var blob: BlobHandle

    /// Names the state after a step.
    public init(step: Int, blob: BlobHandle) {
        self.step = step
        self.blob = blob
    }
}

/// A finished job's result, as the loop received it.
public struct ResultSummary: Equatable, Sendable, Codable {
    /// The encoded result.
    public var blob: BlobHandle
    /// How large it is.
    public var byteCount: Int64

    /// Names a result.
    public init(blob: BlobHandle, byteCount: Int64) {
        self.blob = blob
        self.byteCount = byteCount
    }
}

/// An error that a worker met in a job.
public struct WorkerFailure: Equatable, Sendable, Codable {
    /// The worker's error code.
    public var code: String
    /// A sentence for the client.
    public var message: String
    /// Whether another attempt could succeed.
    public var isRetriable: Bool
    /// Whether the resume point was at fault: without it the job can be computed.
    public var refusesResume: Bool

    /// Describes an error.
    public init(
        code: String, message: String, isRetriable: Bool, refusesResume: Bool = false
    ) {
        self.refusesResume = refusesResume
        self.code = code
        self.message = message
        self.isRetriable = isRetriable
    }
}
