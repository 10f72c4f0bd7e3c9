// What a worker needs of an engine, in terms of the protocol: the service knows no other type of
// the engine, and tests put a stub in its place.

import WireProtocol

/// An engine with one loaded model.
///
/// It need not be Sendable: it is made on the compute thread and used there only.
public protocol ImageGenerating: AnyObject {
    /// What the worker tells the broker about itself.
    var capabilities: WorkerCapabilities { get }

    /// Generates a tiny image for real, as proof that the model works on this machine.
    /// - Returns: seconds a step of it took, if that was measured.
    func warmUp() throws -> Double?

    /// Does a piece of work, from its start or from where another attempt stopped.
    ///
    /// - Throws: `WorkerError` where the cause is known; `.cancelled`, or anything else, once
    ///   `control.isCancelled()` was true.
    func generate(_ work: WorkOrder, control: WorkControl) throws -> WorkSummary
}

/// What a worker can do.
public struct WorkerCapabilities: Sendable, Equatable {
    public var model: ModelDescription
    /// Largest request in pixels an image; 0: no limit of its own.
    public var maximumPixels: UInt64
    /// The program's version.
    public var version: String
    /// What comes of a request that leaves its size open and names no preset; nil: not known.
    public var defaultShape: DefaultShape?

    public init(
        model: ModelDescription, maximumPixels: UInt64 = 0, version: String = "",
        defaultShape: DefaultShape? = nil
    ) {
        self.model = model
        self.maximumPixels = maximumPixels
        self.version = version
        self.defaultShape = defaultShape
    }
}

/// One lease's work.
public struct WorkOrder: Sendable, Equatable {
    public var lease: LeaseReference
    public var request: GenerationRequest
    public var preview: PreviewWish?
    /// Where to go on; nil: from the start. Images before its index are finished.
    public var resume: ResumeState?

    public init(
        lease: LeaseReference, request: GenerationRequest, preview: PreviewWish? = nil,
        resume: ResumeState? = nil
    ) {
        self.lease = lease
        self.request = request
        self.preview = preview
        self.resume = resume
    }
}

/// How a generation reports, and learns that it is to stop. Used on the compute thread only; none
/// of the calls blocks.
public struct WorkControl {
    /// Asked between blocks.
    public var isCancelled: () -> Bool
    /// Called when a stage begins that has no steps.
    public var onStage: (_ stage: JobStage, _ imageIndex: Int) -> Void
    /// Called after each step of each image.
    public var onStep: (WorkStep) -> Void
    /// Called with each finished image, in order.
    public var onImage: (_ image: GeneratedImage, _ isLast: Bool) -> Void

    public init(
        isCancelled: @escaping () -> Bool = { false },
        onStage: @escaping (JobStage, Int) -> Void = { _, _ in },
        onStep: @escaping (WorkStep) -> Void = { _ in },
        onImage: @escaping (GeneratedImage, Bool) -> Void = { _, _ in }
    ) {
        self.isCancelled = isCancelled
        self.onStage = onStage
        self.onStep = onStep
        self.onImage = onImage
    }
}

/// A step that is done.
public struct WorkStep: Sendable, Equatable {
    public var imageIndex: Int
    public var imageCount: Int
    /// Steps done of this image.
    public var step: Int
    public var stepCount: Int
    public var seconds: Double
    public var resume: ResumeState
    /// Empty unless one was wished for after this step.
    public var previewPNG: [UInt8]

    public init(
        imageIndex: Int, imageCount: Int, step: Int, stepCount: Int, seconds: Double,
        resume: ResumeState, previewPNG: [UInt8] = []
    ) {
        self.imageIndex = imageIndex
        self.imageCount = imageCount
        self.step = step
        self.stepCount = stepCount
        self.seconds = seconds
        self.resume = resume
        self.previewPNG = previewPNG
    }

    /// Steps still to be done, of this image and those after it.
    var remainingSteps: Int {
        stepCount - step + (imageCount - imageIndex - 1) * stepCount
    }
}

/// What is to be said of finished work beside its images.
public struct WorkSummary: Sendable, Equatable {
    public var imageCount: Int
    public var seconds: StageSeconds
    public var pruning: PruningReport?

    public init(imageCount: Int, seconds: StageSeconds, pruning: PruningReport? = nil) {
        self.imageCount = imageCount
        self.seconds = seconds
        self.pruning = pruning
    }
}
