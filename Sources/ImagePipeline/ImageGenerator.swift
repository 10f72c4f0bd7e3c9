// The engine as a whole: a request in, encoded images out.
import Checkpoints
import Foundation
import TensorCore
import ZImageModel

/// The version of Turbine.
public let turbineVersion = "0.1.0"

/// What a caller hears of a generation, and how it stops one.
public struct GenerationControl {
    /// Asked between blocks; true stops the generation with a `cancelled` error.
    public var isCancelled: () -> Bool = { false }
    /// Called after each step of each image.
    public var onStep: (StepEvent) throws -> Void = { _ in }
    /// Called with the report of each image that is done.
    public var onImage: (ImageReport) throws -> Void = { _ in }
    /// Images before this one are left out: they are finished already.
    public var firstImage = 0
    /// Stop after this many steps, before decoding; nil for all.
    public var stopAfterStep: Int?
    /// The state to start image i from; nil for the seed's noise.
    public var initialState: (_ image: Int) throws -> DenoisingState? = { _ in nil }

    public init() {}
}

/// A step that is done.
public struct StepEvent {
    public let image: Int
    public let imageCount: Int
    /// Steps done of this image.
    public let step: Int
    public let stepCount: Int
    public let denoising: Denoising
    let generator: ImageGenerator

    /// A small picture of what the image will be, as PNG bytes.
    /// - Parameter maximumSide: the longer side in pixels is at most this; nil is 128. There is no
    ///   gain above 256.
    public func preview(maximumSide: Int? = nil) throws -> [UInt8] {
        try generator.preview(denoising, maximumSide: maximumSide)
    }
}

/// Where the bytes of an image go, and the extra facts that its metadata states.
public struct ImageOutput {
    public var sink: any ByteSink
    /// zlib level, 0 to 9.
    public var compression: Int
    /// Whether parameters are written into the image.
    public var hasMetadata: Bool
    public var preset: String?
    public var template: String?

    public init(sink: any ByteSink, compression: Int = 6, hasMetadata: Bool = true) {
        self.sink = sink
        self.compression = compression
        self.hasMetadata = hasMetadata
    }
}

/// Generates images with one loaded model, one request at a time.
public final class ImageGenerator {
    public let model: ZImageCheckpoint
    public let operations: EagerOperations
    /// Hash of the model's files, 64 hexadecimal digits (`ModelHash`).
    public let modelHash: String

    /// - Throws: `CheckpointError` or `TokenizerError` when the folder is not a sound checkpoint.
    public init(modelFolder: String, threadCount: Int) throws {
        model = try ZImageCheckpoint(folder: modelFolder)
        modelHash = try ModelHash.hash(of: model)
        operations = EagerOperations(pool: ThreadPool(threadCount: threadCount))
    }

    /// Weights format and kernel family: two generators of one class give the same bytes.
    public var numericsClass: String { "\(model.weightFormat)/\(operations.kernelFamily)" }

    /// What latents of this generator state about their making.
    var origin: DenoisingState.Origin {
        DenoisingState.Origin(modelHash: modelHash, numericsClass: numericsClass)
    }

    /// Checks a request against this model, before any work.
    public func validate(
        _ request: GenerationRequest, limits: GenerationLimits = GenerationLimits()
    ) throws {
        try request.validate(limits: limits, sizeMultiple: model.sizeMultiple)
        let configuration = model.transformer.configuration
        let shape = Denoising.latentShape(request, model)
        let grid = PatchGrid(
            rows: shape[1] / configuration.patchSize, columns: shape[2] / configuration.patchSize)
        guard configuration.accepts(grid: grid, captionLength: 0) else {
            let side = min(configuration.axisLengths[1], configuration.axisLengths[2])
            throw GenerationError(
                code: .invalidArgument, field: "width and height",
                what: "\(request.width)x\(request.height) is larger than the model can place",
                remedy: "use at most \(side * model.sizeMultiple) pixels a side")
        }
        for (field, prompt) in prompts(of: request) {
            let count = tokens(of: prompt).count
            guard configuration.accepts(grid: grid, captionLength: count) else {
                throw GenerationError(
                    code: .invalidArgument, field: field,
                    what: "has \(count) tokens, more than the model can place",
                    remedy: "use a shorter text; the model has "
                        + "\(configuration.axisLengths[0]) positions")
            }
        }
    }

    /// The texts that condition a request: the prompt and, with guidance, the negative prompt.
    private func prompts(of request: GenerationRequest) -> [(field: String, text: String)] {
        let prompt = ("prompt", request.prompt)
        return request.guidance > 0
            ? [prompt, ("negative prompt", request.negativePrompt)] : [prompt]
    }

    private func tokens(of prompt: String) -> [Int32] {
        model.tokenizer.encodeChat(
            prompt: prompt, maximumTokenCount: Self.maximumCaptionLength)
    }

    /// Tokens that the text encoder reads.
    static let maximumCaptionLength = 512

    /// Generates the images of a request.
    ///
    /// - Parameters:
    ///   - control: progress and cancellation
    ///   - output: gives the place for image i; asked when its pixels are about to be made, and not
    ///     at all when the generation stops before
    /// - Throws: `GenerationError` for a bad request (before any work) and for a cancellation, and
    ///   whatever the control or a sink throws.
    public func generate(
        _ request: GenerationRequest, control: GenerationControl = GenerationControl(),
        output: (_ image: Int) throws -> ImageOutput,
        finished: (_ image: Int, _ output: ImageOutput) throws -> Void = { _, _ in }
    ) throws -> GenerationReport {
        try validate(request)
        TensorStorage.resetPeak()
        var report = GenerationReport(
            model: model.name, modelHash: modelHash, numericsClass: numericsClass,
            version: turbineVersion, threads: operations.pool.threadCount, textSeconds: 0,
            images: [], peakWorkingBytes: 0, peakDenoisingBytes: 0)
        let observer: BlockObserver = { _, _ in
            if control.isCancelled() { throw Self.cancellation }
        }
        let start = ContinuousClock.now
        let conditioning = try encodePrompts(request, observer)
        report.textSeconds = (ContinuousClock.now - start).seconds
        for index in max(control.firstImage, 0)..<max(request.imageCount, control.firstImage) {
            let image = try generateImage(
                request, index, conditioning, control, observer, output, finished, &report)
            if let image { report.images.append(image) }
        }
        report.peakWorkingBytes = TensorStorage.peakByteCount
        return report
    }

    static let cancellation = GenerationError(
        code: .cancelled, field: "", what: "the generation was cancelled")

    private func generateImage(
        _ request: GenerationRequest, _ index: Int, _ conditioning: [Tensor],
        _ control: GenerationControl, _ observer: @escaping BlockObserver,
        _ output: (_ image: Int) throws -> ImageOutput,
        _ finished: (_ image: Int, _ output: ImageOutput) throws -> Void,
        _ report: inout GenerationReport
    ) throws -> ImageReport? {
        let seed = request.seed &+ UInt64(index)
        let denoising = try Denoising(
            generator: self, request: request, conditioning: conditioning, seed: seed,
            resuming: try control.initialState(index), onBlock: observer)
        var image = ImageReport(
            index: index, seed: seed, width: request.width, height: request.height, sha256: "",
            isTiled: false, seconds: StageSeconds(), stepSeconds: [], pruning: nil)
        let lastStep = min(control.stopAfterStep ?? .max, denoising.stepCount)
        while denoising.step < lastStep {
            let start = ContinuousClock.now
            if control.isCancelled() { throw Self.cancellation }
            try denoising.advance(onBlock: observer)
            image.stepSeconds.append((ContinuousClock.now - start).seconds)
            try control.onStep(
                StepEvent(
                    image: index, imageCount: request.imageCount, step: denoising.step,
                    stepCount: denoising.stepCount, denoising: denoising, generator: self))
        }
        image.seconds.denoising = image.stepSeconds.reduce(0, +)
        image.pruning = denoising.pruningReport
        report.peakDenoisingBytes = max(report.peakDenoisingBytes, TensorStorage.peakByteCount)
        guard denoising.isFinished else { return nil }
        let destination = try output(index)
        try write(
            denoising.latents, request, destination, report: report, image: &image, observer)
        try finished(index, destination)
        try control.onImage(image)
        return image
    }

    /// Text features of the prompt and, with guidance, of the negative prompt.
    func encodePrompts(
        _ request: GenerationRequest, _ onBlock: BlockObserver? = nil
    ) throws -> [Tensor] {
        try prompts(of: request).map { prompt in
            try model.textEncoder.encode(
                [tokens(of: prompt.text)], operations: operations, onBlock: onBlock)
        }
    }

    /// Decodes latents and writes the PNG, rows as they come.
    private func write(
        _ latents: Tensor, _ request: GenerationRequest, _ output: ImageOutput,
        report: GenerationReport, image: inout ImageReport, _ onBlock: @escaping BlockObserver
    ) throws {
        var text: [PNGText] = []
        if output.hasMetadata {
            text = try metadata(request, output, report, image).textEntries()
        }
        let encoder = try PNGEncoder(
            width: request.width, height: request.height, text: text,
            compression: output.compression, to: output.sink)
        let decoder = TiledDecoder(
            autoencoder: model.autoencoder, operations: operations, options: request.tiling)
        image.isTiled = decoder.usesTiles(rows: latents.shape[1], columns: latents.shape[2])
        var hash = SHA256()
        var encodingSeconds = 0.0
        let start = ContinuousClock.now
        try decoder.decode(latents, onBlock: onBlock) { rows in
            let rowStart = ContinuousClock.now
            let bytes = PixelRows.bytes(rows)
            bytes.withUnsafeBytes { hash.update($0) }
            try encoder.write(rows: bytes)
            encodingSeconds += (ContinuousClock.now - rowStart).seconds
        }
        try encoder.finish()
        image.seconds.encoding = encodingSeconds
        image.seconds.decoding = (ContinuousClock.now - start).seconds - encodingSeconds
        image.sha256 = hash.finalize()
    }

    private func metadata(
        _ request: GenerationRequest, _ output: ImageOutput, _ report: GenerationReport,
        _ image: ImageReport
    ) -> ImageMetadata {
        var pruning: ImageMetadata.Pruning?
        if let options = request.pruning, let result = image.pruning {
            pruning = ImageMetadata.Pruning(
                attentionSaved: result.attentionSaved, workSaved: result.workSaved)
            switch options.criterion {
            case .threshold(let value): pruning?.threshold = Double(value)
            case .share(let value): pruning?.share = Double(value)
            }
        }
        let hasNormalization = request.guidanceNormalization != 0
        let hasTruncation = request.guidanceTruncation != 1
        return ImageMetadata(
            prompt: request.prompt, negativePrompt: request.negativePrompt, seed: image.seed,
            steps: request.stepCount, guidance: Double(request.guidance),
            cfgNormalization: hasNormalization ? Double(request.guidanceNormalization) : nil,
            cfgTruncation: hasTruncation ? Double(request.guidanceTruncation) : nil,
            width: request.width, height: request.height, modelName: report.model,
            modelHash: report.modelHash, numericsClass: report.numericsClass,
            version: report.version, preset: output.preset, template: output.template,
            pruning: pruning)
    }
}

extension ImageGenerator {
    /// Reads a state to go on from, and checks that it is one of this request's images.
    /// - Throws: `CheckpointError` for a bad file, `GenerationError` when it does not fit.
    public func readState(
        path: String, for request: GenerationRequest, image: Int = 0
    ) throws -> DenoisingState {
        let state = try DenoisingState(
            path: path, shape: Denoising.latentShape(request, model))
        try Denoising.check(
            state, request, seed: request.seed &+ UInt64(image), origin: origin)
        return state
    }

    /// Reads a state that `DenoisingState.encoded()` made.
    /// - Throws: as `readState(path:for:)`.
    public func readState(
        contents: [UInt8], for request: GenerationRequest, image: Int = 0
    ) throws -> DenoisingState {
        let state = try DenoisingState(
            contents: contents, shape: Denoising.latentShape(request, model))
        try Denoising.check(
            state, request, seed: request.seed &+ UInt64(image), origin: origin)
        return state
    }

    /// Generates a tiny image and throws it away: proof that the model works on this machine, and
    /// its pages are in memory.
    public func warmUp() throws -> GenerationReport {
        let side = max(64, model.sizeMultiple)
        var request = GenerationRequest(
            prompt: "a", width: side - side % model.sizeMultiple,
            height: side - side % model.sizeMultiple, stepCount: 2, guidance: 0, seed: 0)
        request.pruning = nil
        return try generate(request, output: { _ in ImageOutput(sink: MemorySink()) })
    }

    /// The largest request in pixels an image, by what the model can place and the limits.
    public var maximumPixelCount: Int {
        let limits = GenerationLimits()
        let lengths = model.transformer.configuration.axisLengths
        let side = min(limits.side, min(lengths[1], lengths[2]) * model.sizeMultiple)
        return min(limits.pixelCount, side * side)
    }
}
