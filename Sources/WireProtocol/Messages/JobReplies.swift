// The replies about one job, as typed values.
// docs/protocol.md says when each is sent.

/// The job is on disk: it will end in completed, failed or cancelled, whatever happens.
public struct JobAccepted: Sendable, Equatable {
    public var jobID: UInt64
    public var requestID: String
    /// The request id was known: this is that job.
    public var alreadyKnown: Bool
    public var state: JobState
    /// Jobs that are ahead of it.
    public var placeInQueue: UInt32
    public var estimatedStartMilliseconds: UInt64?
    public var estimatedEndMilliseconds: UInt64?
    public var hold: JobHold

    public init(
        jobID: UInt64 = 0, requestID: String = "", alreadyKnown: Bool = false,
        state: JobState = .unspecified, placeInQueue: UInt32 = 0,
        estimatedStartMilliseconds: UInt64? = nil, estimatedEndMilliseconds: UInt64? = nil,
        hold: JobHold = .unspecified
    ) {
        self.jobID = jobID
        self.requestID = requestID
        self.alreadyKnown = alreadyKnown
        self.state = state
        self.placeInQueue = placeInQueue
        self.estimatedStartMilliseconds = estimatedStartMilliseconds
        self.estimatedEndMilliseconds = estimatedEndMilliseconds
        self.hold = hold
    }
}

/// How far a job is.
public struct JobProgress: Sendable, Equatable {
    public var jobID: UInt64
    public var requestID: String
    public var stage: JobStage
    /// Steps done, of this image.
    public var step: UInt32
    public var steps: UInt32
    public var imageIndex: UInt32
    public var imageCount: UInt32
    public var attempt: UInt32
    public var remainingMilliseconds: UInt64?
    public var placeInQueue: UInt32?
    /// A small picture of the state so far, if asked for; else empty.
    public var previewPNG: [UInt8]

    public init(
        jobID: UInt64 = 0, requestID: String = "", stage: JobStage = .unspecified, step: UInt32 = 0,
        steps: UInt32 = 0, imageIndex: UInt32 = 0, imageCount: UInt32 = 0, attempt: UInt32 = 0,
        remainingMilliseconds: UInt64? = nil, placeInQueue: UInt32? = nil, previewPNG: [UInt8] = []
    ) {
        self.jobID = jobID
        self.requestID = requestID
        self.stage = stage
        self.step = step
        self.steps = steps
        self.imageIndex = imageIndex
        self.imageCount = imageCount
        self.attempt = attempt
        self.remainingMilliseconds = remainingMilliseconds
        self.placeInQueue = placeInQueue
        self.previewPNG = previewPNG
    }
}

/// The final reply of a job that succeeded.
public struct JobCompleted: Sendable, Equatable {
    public var jobID: UInt64
    public var requestID: String
    public var images: [GeneratedImage]
    public var seconds: StageSeconds?
    public var worker: String
    public var attempts: UInt32
    public var modelName: String
    public var modelHash: String
    /// Weights format and kernel family: within one class the same request gives the same bytes.
    public var numericsClass: String
    public var pruning: PruningReport?

    public init(
        jobID: UInt64 = 0, requestID: String = "", images: [GeneratedImage] = [],
        seconds: StageSeconds? = nil, worker: String = "", attempts: UInt32 = 0,
        modelName: String = "", modelHash: String = "", numericsClass: String = "",
        pruning: PruningReport? = nil
    ) {
        self.jobID = jobID
        self.requestID = requestID
        self.images = images
        self.seconds = seconds
        self.worker = worker
        self.attempts = attempts
        self.modelName = modelName
        self.modelHash = modelHash
        self.numericsClass = numericsClass
        self.pruning = pruning
    }
}

/// A job that failed, or a request that was refused.
public struct JobFailed: Sendable, Equatable {
    /// 0: there is no job; nothing was accepted.
    public var jobID: UInt64
    public var requestID: String
    public var error: ServiceError
    public var attempts: UInt32
    public var worker: String

    public init(
        jobID: UInt64 = 0, requestID: String = "", error: ServiceError, attempts: UInt32 = 0,
        worker: String = ""
    ) {
        self.jobID = jobID
        self.requestID = requestID
        self.error = error
        self.attempts = attempts
        self.worker = worker
    }
}

/// The final reply of a cancelled job, and the reply to Cancel.
public struct JobCancelled: Sendable, Equatable {
    public var jobID: UInt64
    public var requestID: String
    public var reason: CancelReason
    /// Steps that had been done, over all images.
    public var stepsDone: UInt32

    public init(
        jobID: UInt64 = 0, requestID: String = "", reason: CancelReason = .unspecified,
        stepsDone: UInt32 = 0
    ) {
        self.jobID = jobID
        self.requestID = requestID
        self.reason = reason
        self.stepsDone = stepsDone
    }
}
