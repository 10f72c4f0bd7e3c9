// The requests of clients, as typed values.
// docs/protocol.md says when each is sent.

/// A new job.
public struct GenerateRequest: Sendable, Equatable {
    /// The client's own name for the job and its idempotency key: the same id again, from the same
    /// key, is the same job. Empty: the job has no such name, and a repetition is another job.
    public var requestID: String
    public var request: GenerationRequest
    public var priority: JobPriority
    /// From now; absent: none.
    public var deadlineMilliseconds: UInt64?
    public var preview: PreviewWish?
    /// True: the job goes on when the client is gone. Else it is cancelled after a while.
    public var detachOnDisconnect: Bool?
    public var replies: ReplyMode

    public init(
        requestID: String = "", request: GenerationRequest, priority: JobPriority = .unspecified,
        deadlineMilliseconds: UInt64? = nil, preview: PreviewWish? = nil,
        detachOnDisconnect: Bool? = nil, replies: ReplyMode = .unspecified
    ) {
        self.requestID = requestID
        self.request = request
        self.priority = priority
        self.deadlineMilliseconds = deadlineMilliseconds
        self.preview = preview
        self.detachOnDisconnect = detachOnDisconnect
        self.replies = replies
    }
}

/// Ends a queued or running job. The reply is Cancelled, or Failed if there is nothing to cancel.
public struct CancelRequest: Sendable, Equatable {
    public var job: JobReference

    public init(job: JobReference) {
        self.job = job
    }
}

/// Progress and result of a job again, from here on to the sender of this message.
public struct AttachRequest: Sendable, Equatable {
    public var job: JobReference
    public var preview: PreviewWish?
    public var replies: ReplyMode

    public init(job: JobReference, preview: PreviewWish? = nil, replies: ReplyMode = .unspecified) {
        self.job = job
        self.preview = preview
        self.replies = replies
    }
}

/// The jobs that are known; the reply is Jobs.
public struct ListJobsRequest: Sendable, Equatable {
    /// Empty: all states.
    public var states: [JobState]
    /// 0: the server's own limit.
    public var limit: UInt32
    /// Only jobs with a greater id; for paging.
    public var afterJobID: UInt64
    /// Also other clients' jobs; for admins.
    public var allClients: Bool

    public init(
        states: [JobState] = [], limit: UInt32 = 0, afterJobID: UInt64 = 0, allClients: Bool = false
    ) {
        self.states = states
        self.limit = limit
        self.afterJobID = afterJobID
        self.allClients = allClients
    }
}

/// The jobs that are set aside; for admins.
public struct ListQuarantineRequest: Sendable, Equatable {
    public var limit: UInt32
    public var afterJobID: UInt64

    public init(limit: UInt32 = 0, afterJobID: UInt64 = 0) {
        self.limit = limit
        self.afterJobID = afterJobID
    }
}

/// One quarantined job with its request; for admins.
public struct InspectQuarantineRequest: Sendable, Equatable {
    public var jobID: UInt64

    public init(jobID: UInt64 = 0) {
        self.jobID = jobID
    }
}

/// Ends a quarantine; for admins.
public struct ReleaseQuarantineRequest: Sendable, Equatable {
    public var jobID: UInt64
    /// True: the job is failed for good; false: it is queued again.
    public var discard: Bool

    public init(jobID: UInt64 = 0, discard: Bool = false) {
        self.jobID = jobID
        self.discard = discard
    }
}
