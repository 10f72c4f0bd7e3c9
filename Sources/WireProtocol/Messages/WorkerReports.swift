// What workers tell the broker, as typed values.
// docs/protocol.md says when each is sent.

/// One assignment of a job to a worker.
public struct LeaseReference: Sendable, Equatable {
    public var jobID: UInt64
    /// Counts from 1; the greatest one holds the job.
    public var attempt: UInt32

    public init(jobID: UInt64 = 0, attempt: UInt32 = 0) {
        self.jobID = jobID
        self.attempt = attempt
    }
}

/// The model that a worker has loaded.
public struct ModelDescription: Sendable, Equatable {
    public var name: String
    public var hash: String
    public var numericsClass: String

    public init(name: String = "", hash: String = "", numericsClass: String = "") {
        self.name = name
        self.hash = hash
        self.numericsClass = numericsClass
    }
}

/// What a worker makes of a request that leaves these open and names no preset.
public struct DefaultShape: Sendable, Equatable {
    /// Pixels.
    public var width: UInt32
    /// Pixels.
    public var height: UInt32
    /// An image.
    public var steps: UInt32
    public var imageCount: UInt32

    public init(width: UInt32, height: UInt32, steps: UInt32, imageCount: UInt32 = 1) {
        self.width = width
        self.height = height
        self.steps = steps
        self.imageCount = imageCount
    }
}

/// A worker's first message on every connection.
public struct RegisterWorker: Sendable, Equatable {
    /// Unique among the workers of a broker, and the same after a reconnection.
    public var name: String
    public var host: String
    public var processID: UInt64
    /// The program's version.
    public var version: String
    public var model: ModelDescription
    /// Largest request that it takes, in pixels an image; 0: no limit of its own.
    public var maximumPixels: UInt64
    /// Leases that it still works on, after a reconnection.
    public var heldLeases: [LeaseReference]
    /// A new number at each start of the process: tells a restart from a reconnection.
    public var incarnation: UInt64
    /// For the broker's estimates; nil: the broker assumes its own.
    public var defaultShape: DefaultShape?

    public init(
        name: String = "", host: String = "", processID: UInt64 = 0, version: String = "",
        model: ModelDescription, maximumPixels: UInt64 = 0, heldLeases: [LeaseReference] = [],
        incarnation: UInt64 = 0, defaultShape: DefaultShape? = nil
    ) {
        self.name = name
        self.host = host
        self.processID = processID
        self.version = version
        self.model = model
        self.maximumPixels = maximumPixels
        self.heldLeases = heldLeases
        self.incarnation = incarnation
        self.defaultShape = defaultShape
    }
}

/// The worker has generated a tiny image and takes leases.
public struct WorkerReady: Sendable, Equatable {
    public var warmUpSeconds: Double

    public init(warmUpSeconds: Double = 0) {
        self.warmUpSeconds = warmUpSeconds
    }
}

/// Proof of life, at the interval that Registered names.
public struct WorkerHeartbeat: Sendable, Equatable {
    /// Counts up.
    public var sequence: UInt64
    /// The job at work, if any.
    public var lease: LeaseReference?
    /// Counts every step since the lease began; proves that work advances.
    public var stepCounter: UInt64
    public var residentBytes: UInt64
    public var secondsAStep: Double?
    public var draining: Bool

    public init(
        sequence: UInt64 = 0, lease: LeaseReference? = nil, stepCounter: UInt64 = 0,
        residentBytes: UInt64 = 0, secondsAStep: Double? = nil, draining: Bool = false
    ) {
        self.sequence = sequence
        self.lease = lease
        self.stepCounter = stepCounter
        self.residentBytes = residentBytes
        self.secondsAStep = secondsAStep
        self.draining = draining
    }
}

/// All that is needed to continue: opaque to the broker.
public struct ResumeState: Sendable, Equatable {
    public var imageIndex: UInt32
    /// Steps done, of this image.
    public var step: UInt32
    /// Latents after that step.
    public var latents: [UInt8]
    /// Whatever else the engine keeps between steps.
    public var engineState: [UInt8]

    public init(
        imageIndex: UInt32 = 0, step: UInt32 = 0, latents: [UInt8] = [], engineState: [UInt8] = []
    ) {
        self.imageIndex = imageIndex
        self.step = step
        self.latents = latents
        self.engineState = engineState
    }
}

/// A step is done; a later attempt goes on from here.
public struct StepReport: Sendable, Equatable {
    public var lease: LeaseReference
    public var stage: JobStage
    public var step: UInt32
    public var steps: UInt32
    public var imageIndex: UInt32
    public var stepSeconds: Double
    public var resume: ResumeState?
    public var previewPNG: [UInt8]

    public init(
        lease: LeaseReference, stage: JobStage = .unspecified, step: UInt32 = 0, steps: UInt32 = 0,
        imageIndex: UInt32 = 0, stepSeconds: Double = 0, resume: ResumeState? = nil,
        previewPNG: [UInt8] = []
    ) {
        self.lease = lease
        self.stage = stage
        self.step = step
        self.steps = steps
        self.imageIndex = imageIndex
        self.stepSeconds = stepSeconds
        self.resume = resume
        self.previewPNG = previewPNG
    }
}

/// One image of several is done; a later attempt does not repeat it.
public struct ImageFinished: Sendable, Equatable {
    public var lease: LeaseReference
    public var image: GeneratedImage

    public init(lease: LeaseReference, image: GeneratedImage) {
        self.lease = lease
        self.image = image
    }
}

/// The job is done. Kept by the worker until it is acknowledged.
public struct WorkCompleted: Sendable, Equatable {
    public var lease: LeaseReference
    /// The images that were not sent as ImageFinished.
    public var images: [GeneratedImage]
    public var seconds: StageSeconds?
    public var pruning: PruningReport?
    public var imageCount: UInt32

    public init(
        lease: LeaseReference, images: [GeneratedImage] = [], seconds: StageSeconds? = nil,
        pruning: PruningReport? = nil, imageCount: UInt32 = 0
    ) {
        self.lease = lease
        self.images = images
        self.seconds = seconds
        self.pruning = pruning
        self.imageCount = imageCount
    }
}

/// The engine gave up on the job. Kept by the worker until it is acknowledged.
public struct WorkFailed: Sendable, Equatable {
    public var lease: LeaseReference
    /// `retryable`: another worker, or this one later, may succeed.
    public var error: ServiceError

    public init(lease: LeaseReference, error: ServiceError) {
        self.lease = lease
        self.error = error
    }
}

/// The answer to Revoke.
public struct WorkCancelled: Sendable, Equatable {
    public var lease: LeaseReference
    public var stepsDone: UInt32

    public init(lease: LeaseReference, stepsDone: UInt32 = 0) {
        self.lease = lease
        self.stepsDone = stepsDone
    }
}

/// A draining worker gives a job back, with what it has.
public struct HandBack: Sendable, Equatable {
    public var lease: LeaseReference
    public var resume: ResumeState?

    public init(lease: LeaseReference, resume: ResumeState? = nil) {
        self.lease = lease
        self.resume = resume
    }
}

/// The last message of either side.
public struct Goodbye: Sendable, Equatable {
    public var reason: String

    public init(reason: String = "") {
        self.reason = reason
    }
}
