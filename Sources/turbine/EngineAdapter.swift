// The engine as a worker sees it: wire requests in, PNGs and resume states out.
import Foundation
import ImagePipeline
import WireProtocol
import WorkerService

/// `ImageGenerator` behind the worker's protocol.
final class EngineAdapter: ImageGenerating {
    private let generator: ImageGenerator
    private let resolver: RequestResolver
    let capabilities: WorkerCapabilities

    /// - Parameters:
    ///   - maximumPixels: the largest image to take; nil: what the model can place
    /// - Throws: `WorkerError` (`notReady`) for a model or configuration that cannot be used.
    init(
        modelFolder: String, threadCount: Int, maximumPixels: Int? = nil, presets: String? = nil,
        templates: [String] = []
    ) throws {
        do {
            resolver = try RequestResolver(
                modelFolder: modelFolder, presets: presets, templates: templates)
            generator = try ImageGenerator(modelFolder: modelFolder, threadCount: threadCount)
        } catch {
            throw WorkerError(.notReady, "\(error)", location: modelFolder)
        }
        let largest = generator.maximumPixelCount
        let usual = try? resolver.resolve(RequestFields(text: .prompt(""))).0
        capabilities = WorkerCapabilities(
            model: ModelDescription(
                name: generator.model.name, hash: generator.modelHash,
                numericsClass: generator.numericsClass),
            maximumPixels: UInt64(min(maximumPixels ?? largest, largest)),
            version: turbineVersion,
            defaultShape: usual.map {
                DefaultShape(
                    width: UInt32(clamping: $0.width), height: UInt32(clamping: $0.height),
                    steps: UInt32(clamping: $0.stepCount),
                    imageCount: UInt32(clamping: $0.imageCount))
            })
    }

    func warmUp() throws -> Double? {
        do {
            return try generator.warmUp().images.first?.stepSeconds.last
        } catch {
            throw WorkerError(.notReady, "the first image failed: \(error)")
        }
    }

    func generate(_ work: WorkOrder, control: WorkControl) throws -> WorkSummary {
        do {
            return try generateImages(work, control)
        } catch {
            throw Self.workerError(error)
        }
    }

    private func generateImages(_ work: WorkOrder, _ control: WorkControl) throws -> WorkSummary {
        var fields = try RequestFields(work.request)
        fields.seed = fields.seed ?? Self.seed(work.resume?.engineState)
        let (request, preset) = try resolver.resolve(fields)
        guard request.width * request.height <= Int(clamping: capabilities.maximumPixels) else {
            throw GenerationError(
                code: .resourceLimit, field: "width",
                what: "\(request.width)x\(request.height) is more than this worker takes",
                remedy: "use at most \(capabilities.maximumPixels) pixels")
        }
        try generator.validate(request)
        let state = try Self.state(work.resume, request, generator)
        control.onStage(.textEncoding, Int(work.resume?.imageIndex ?? 0))
        var engine = GenerationControl()
        engine.isCancelled = control.isCancelled
        engine.firstImage = min(Int(work.resume?.imageIndex ?? 0), request.imageCount)
        var lastStep = ContinuousClock.now
        engine.initialState = { image in
            lastStep = .now
            return image == Int(work.resume?.imageIndex ?? 0) ? state : nil
        }
        engine.onStep = { event in
            let now = ContinuousClock.now
            control.onStep(
                try Self.step(event, seconds: (now - lastStep).seconds, request, work.preview))
            lastStep = .now
        }
        let sinks = (0..<request.imageCount).map { _ in MemorySink() }
        engine.onImage = { image in
            control.onImage(
                Self.image(image, png: sinks[image.index].bytes),
                image.index + 1 == request.imageCount)
            sinks[image.index].clear()
        }
        let report = try generator.generate(
            request, control: engine,
            output: { index in
                control.onStage(.decoding, index)
                return Self.output(sinks[index], work.request, preset: preset)
            })
        return Self.summary(report, imageCount: request.imageCount)
    }

    // Pieces of reports.

    private static func step(
        _ event: StepEvent, seconds: Double, _ request: ImagePipeline.GenerationRequest,
        _ preview: PreviewWish?
    ) throws -> WorkStep {
        let state = ResumeState(
            imageIndex: UInt32(clamping: event.image), step: UInt32(clamping: event.step),
            latents: try event.denoising.state.encoded(), engineState: bytes(seed: request.seed))
        let interval = Int(preview?.everySteps ?? 0)
        let isWished = interval > 0 && event.step % interval == 0
        return WorkStep(
            imageIndex: event.image, imageCount: event.imageCount, step: event.step,
            stepCount: event.stepCount, seconds: seconds, resume: state,
            previewPNG: isWished
                ? try event.preview(maximumSide: preview?.maximumSide.map { Int($0) }) : [])
    }

    private static func image(_ report: ImageReport, png: [UInt8]) -> GeneratedImage {
        GeneratedImage(
            index: UInt32(clamping: report.index), seed: report.seed,
            width: UInt32(clamping: report.width), height: UInt32(clamping: report.height),
            png: png, pixelSHA256: bytes(hexadecimal: report.sha256))
    }

    private static func output(
        _ sink: MemorySink, _ request: WireProtocol.GenerationRequest, preset: String?
    ) -> ImageOutput {
        var output = ImageOutput(
            sink: sink, compression: Int(request.output?.pngCompression ?? 6),
            hasMetadata: request.output?.metadata ?? true)
        output.preset = preset
        if case .template(let template) = request.text { output.template = template.name }
        return output
    }

    private static func summary(_ report: GenerationReport, imageCount: Int) -> WorkSummary {
        var seconds = WireProtocol.StageSeconds(textEncoding: report.textSeconds)
        for image in report.images {
            seconds.denoising += image.seconds.denoising
            seconds.decoding += image.seconds.decoding
            seconds.pngEncoding += image.seconds.encoding
        }
        let savings = report.images.compactMap(\.pruning)
        let count = Double(max(savings.count, 1))
        let pruning = savings.last.map { last in
            WireProtocol.PruningReport(
                attentionWorkSaved: savings.reduce(0) { $0 + $1.attentionSaved } / count,
                totalWorkSaved: savings.reduce(0) { $0 + $1.workSaved } / count,
                headsIdle: Double(last.idleHeads) / Double(max(last.heads, 1)))
        }
        return WorkSummary(imageCount: imageCount, seconds: seconds, pruning: pruning)
    }
}
