// The replies about the service as a whole, as typed values.
// docs/protocol.md says when each is sent.

/// One worker as the broker sees it.
public struct WorkerStatus: Sendable, Equatable {
    public var name: String
    public var host: String
    public var state: WorkerState
    public var modelName: String
    public var modelHash: String
    public var numericsClass: String
    /// 0: none.
    public var jobID: UInt64
    public var attempt: UInt32
    public var step: UInt32
    public var steps: UInt32
    public var secondsAStep: Double?
    public var residentBytes: UInt64
    public var connectedMilliseconds: UInt64
    public var lastHeardMilliseconds: UInt64
    public var jobsCompleted: UInt64

    public init(
        name: String = "", host: String = "", state: WorkerState = .unspecified,
        modelName: String = "", modelHash: String = "", numericsClass: String = "",
        jobID: UInt64 = 0, attempt: UInt32 = 0, step: UInt32 = 0, steps: UInt32 = 0,
        secondsAStep: Double? = nil, residentBytes: UInt64 = 0, connectedMilliseconds: UInt64 = 0,
        lastHeardMilliseconds: UInt64 = 0, jobsCompleted: UInt64 = 0
    ) {
        self.name = name
        self.host = host
        self.state = state
        self.modelName = modelName
        self.modelHash = modelHash
        self.numericsClass = numericsClass
        self.jobID = jobID
        self.attempt = attempt
        self.step = step
        self.steps = steps
        self.secondsAStep = secondsAStep
        self.residentBytes = residentBytes
        self.connectedMilliseconds = connectedMilliseconds
        self.lastHeardMilliseconds = lastHeardMilliseconds
        self.jobsCompleted = jobsCompleted
    }
}

/// How many jobs ended with one code.
public struct OutcomeCount: Sendable, Equatable {
    /// UNSPECIFIED: completed.
    public var code: ErrorCode
    public var count: UInt64

    public init(code: ErrorCode = .unspecified, count: UInt64 = 0) {
        self.code = code
        self.count = count
    }
}

/// The state of the service.
public struct ServiceStatus: Sendable, Equatable {
    public var version: String
    public var uptimeMilliseconds: UInt64
    /// Whether generate requests are accepted at present.
    public var accepting: Bool
    public var queued: UInt64
    public var running: UInt64
    public var quarantined: UInt64
    public var queueCapacity: UInt64
    public var completed: UInt64
    public var failed: UInt64
    public var cancelled: UInt64
    public var failuresByCode: [OutcomeCount]
    public var workers: [WorkerStatus]
    /// Replies that could not be delivered.
    public var droppedMessages: UInt64
    public var journalSecondsMedian: Double?
    /// The wait a new job would have.
    public var estimatedWaitMilliseconds: UInt64?

    public init(
        version: String = "", uptimeMilliseconds: UInt64 = 0, accepting: Bool = false,
        queued: UInt64 = 0, running: UInt64 = 0, quarantined: UInt64 = 0, queueCapacity: UInt64 = 0,
        completed: UInt64 = 0, failed: UInt64 = 0, cancelled: UInt64 = 0,
        failuresByCode: [OutcomeCount] = [], workers: [WorkerStatus] = [],
        droppedMessages: UInt64 = 0, journalSecondsMedian: Double? = nil,
        estimatedWaitMilliseconds: UInt64? = nil
    ) {
        self.version = version
        self.uptimeMilliseconds = uptimeMilliseconds
        self.accepting = accepting
        self.queued = queued
        self.running = running
        self.quarantined = quarantined
        self.queueCapacity = queueCapacity
        self.completed = completed
        self.failed = failed
        self.cancelled = cancelled
        self.failuresByCode = failuresByCode
        self.workers = workers
        self.droppedMessages = droppedMessages
        self.journalSecondsMedian = journalSecondsMedian
        self.estimatedWaitMilliseconds = estimatedWaitMilliseconds
    }
}

/// One job in a list.
public struct JobSummary: Sendable, Equatable {
    public var jobID: UInt64
    public var requestID: String
    /// The key's name; empty without keys.
    public var client: String
    public var state: JobState
    public var priority: JobPriority
    public var placeInQueue: UInt32?
    public var submittedUnixMilliseconds: UInt64
    public var step: UInt32
    public var steps: UInt32
    public var attempts: UInt32
    public var worker: String
    public var width: UInt32
    public var height: UInt32
    public var imageCount: UInt32
    /// The start of the prompt.
    public var promptExcerpt: String
    public var error: ServiceError?
    public var hold: JobHold

    public init(
        jobID: UInt64 = 0, requestID: String = "", client: String = "",
        state: JobState = .unspecified, priority: JobPriority = .unspecified,
        placeInQueue: UInt32? = nil, submittedUnixMilliseconds: UInt64 = 0, step: UInt32 = 0,
        steps: UInt32 = 0, attempts: UInt32 = 0, worker: String = "", width: UInt32 = 0,
        height: UInt32 = 0, imageCount: UInt32 = 0, promptExcerpt: String = "",
        error: ServiceError? = nil, hold: JobHold = .unspecified
    ) {
        self.jobID = jobID
        self.requestID = requestID
        self.client = client
        self.state = state
        self.priority = priority
        self.placeInQueue = placeInQueue
        self.submittedUnixMilliseconds = submittedUnixMilliseconds
        self.step = step
        self.steps = steps
        self.attempts = attempts
        self.worker = worker
        self.width = width
        self.height = height
        self.imageCount = imageCount
        self.promptExcerpt = promptExcerpt
        self.error = error
        self.hold = hold
    }
}

/// One page of jobs, by ascending id.
public struct JobList: Sendable, Equatable {
    public var jobs: [JobSummary]
    /// More follow after the last job's id.
    public var more: Bool

    public init(jobs: [JobSummary] = [], more: Bool = false) {
        self.jobs = jobs
        self.more = more
    }
}

/// A worker that was lost while it had the job.
public struct WorkerDeath: Sendable, Equatable {
    public var attempt: UInt32
    public var worker: String
    /// What is known of the cause: a signal, an exit status, silence.
    public var cause: String
    /// Steps that had been done.
    public var step: UInt32
    public var unixMilliseconds: UInt64

    public init(
        attempt: UInt32 = 0, worker: String = "", cause: String = "", step: UInt32 = 0,
        unixMilliseconds: UInt64 = 0
    ) {
        self.attempt = attempt
        self.worker = worker
        self.cause = cause
        self.step = step
        self.unixMilliseconds = unixMilliseconds
    }
}

/// A job that was set aside.
public struct QuarantinedJob: Sendable, Equatable {
    public var job: JobSummary
    public var deaths: [WorkerDeath]
    /// Only in the reply to InspectQuarantine.
    public var request: GenerationRequest?

    public init(job: JobSummary, deaths: [WorkerDeath] = [], request: GenerationRequest? = nil) {
        self.job = job
        self.deaths = deaths
        self.request = request
    }
}

/// The reply to all three quarantine requests; after a release it holds the released job.
public struct QuarantineList: Sendable, Equatable {
    public var jobs: [QuarantinedJob]
    public var more: Bool

    public init(jobs: [QuarantinedJob] = [], more: Bool = false) {
        self.jobs = jobs
        self.more = more
    }
}
