// The denoising loop of one image, a step at a time.
import Foundation
import NeuralLayers
import TensorCore
import ZImageModel

/// Denoises one image step by step.
///
/// Source: the loop of diffusers' `ZImagePipeline.__call__`. Between steps, `state` can be saved
/// and another process can go on from it to a bit-identical result.
public final class Denoising {
    private let transformer: ZImageTransformer
    private let operations: any TensorOperations
    private let request: GenerationRequest
    private let schedule: FlowMatchSchedule
    private let grid: PatchGrid
    /// With the prompt and, when there is guidance, with the negative prompt.
    private let evaluations: [Evaluation]
    private let fingerprint: String
    private let origin: DenoisingState.Origin
    private var meter = WorkMeter()

    /// [channels, height, width]
    public private(set) var latents: Tensor
    /// Before the last judging step; nil without pruning.
    private var judged: DenoisingState.Point?
    /// Steps that are done.
    public private(set) var step: Int
    /// The model's velocity at the last step, guided, data minus noise; nil before the first.
    public private(set) var velocity: Tensor?

    public var stepCount: Int { schedule.stepCount }
    public var isFinished: Bool { step >= schedule.stepCount }

    /// One caption's side of the loop.
    private struct Evaluation {
        let plan: SequencePlan
        let captions: Tensor
        let pruner: HeadPruner?
        let work: EvaluationWork
    }

    /// - Parameters:
    ///   - conditioning: text features of the prompt and, with guidance, of the negative prompt;
    ///     [tokens, captionWidth] each
    ///   - seed: of this image
    ///   - resuming: a state to go on from, or nil to start from the seed's noise
    init(
        generator: ImageGenerator, request: GenerationRequest, conditioning: [Tensor],
        seed: UInt64, resuming state: DenoisingState?,
        replacement: HeadPruner.Replacement = .reuse, onBlock: BlockObserver? = nil
    ) throws {
        let (model, operations) = (generator.model, generator.operations)
        transformer = model.transformer
        self.operations = operations
        self.request = request
        origin = generator.origin
        let configuration = transformer.configuration
        let shape = Self.latentShape(request, model)
        let grid = PatchGrid(
            rows: shape[1] / configuration.patchSize, columns: shape[2] / configuration.patchSize)
        self.grid = grid
        schedule = FlowMatchSchedule(
            stepCount: request.stepCount, imageTokenCount: grid.count,
            configuration: model.scheduleConfiguration)
        evaluations = try conditioning.map { features in
            let plan = SequencePlan(
                samples: [(grid, features.shape[0])], configuration: configuration)
            return Evaluation(
                plan: plan,
                captions: try model.transformer.refineCaptions(
                    features, plan: plan, operations: operations, onBlock: onBlock),
                pruner: request.pruning.map {
                    HeadPruner(
                        options: $0, transformer: model.transformer, operations: operations,
                        replacement: replacement)
                },
                work: EvaluationWork(
                    configuration: configuration, grid: grid, captionLength: features.shape[0]))
        }
        fingerprint = Self.fingerprint(request, seed: seed)
        if let state {
            try Self.check(state, request, seed: seed, origin: origin)
            (latents, step) = (state.current.latents, state.current.step)
            try repeatJudgement(state, onBlock)
        } else {
            var generator = TorchGenerator(seed: seed)
            latents = Tensor(generator.normals(shape.reduce(1, *)), shape: shape)
            step = 0
        }
    }

    /// [channels, height, width] of the latents that a request needs.
    static func latentShape(_ request: GenerationRequest, _ model: ZImageCheckpoint) -> [Int] {
        let scale = model.autoencoder.configuration.scale
        return [
            model.transformer.configuration.latentChannels, request.height / scale,
            request.width / scale,
        ]
    }

    /// Everything that later steps depend on beside the latents and their origin.
    private static func fingerprint(_ request: GenerationRequest, seed: UInt64) -> String {
        var relevant = request
        relevant.seed = seed
        relevant.imageCount = 1
        relevant.tiling = TilingOptions()
        var hash = SHA256()
        hash.update("\(relevant)".utf8)
        return String(hash.finalize().prefix(16))
    }

    /// Throws unless a state is one of this request's, after one of its steps, made by this model
    /// in this numerics class. Before the first step latents are noise, the same for all.
    static func check(
        _ state: DenoisingState, _ request: GenerationRequest, seed: UInt64,
        origin: DenoisingState.Origin
    ) throws {
        guard (0...request.stepCount).contains(state.current.step) else {
            throw GenerationError(
                code: .invalidLatents, field: "latents",
                what: "are after step \(state.current.step), but the request has "
                    + "\(request.stepCount) steps",
                remedy: "use the steps that they were made with")
        }
        let fingerprint = fingerprint(request, seed: seed)
        guard
            state.current.step == 0 || state.fingerprint == nil || state.fingerprint == fingerprint
        else {
            throw GenerationError(
                code: .invalidLatents, field: "latents",
                what: "were made for another request",
                remedy: "use the prompt, size, steps, guidance, seed and pruning that they were "
                    + "made with")
        }
        guard state.current.step > 0, state.fingerprint != nil, state.origin != origin else {
            return
        }
        throw GenerationError(
            code: .invalidLatents, field: "latents",
            what: "were made by \(state.origin.map { "\($0)" } ?? "a model that they do not state")"
                + ", but this is \(origin)",
            remedy: "use the model and the kind of processor that they were made with")
    }

    /// Brings the pruners to where they were: evaluates the last judging step once more. Its
    /// outputs are those of the first time bit for bit, and far too many to be carried along.
    private func repeatJudgement(_ state: DenoisingState, _ onBlock: BlockObserver?) throws {
        guard let pruner = evaluations[0].pruner, step > 0, !isFinished else { return }
        judged = state.judged
        guard !pruner.judges(atStep: step), let point = state.judged else { return }
        _ = try evaluateAll(point, onBlock)
        for evaluation in evaluations { evaluation.pruner?.endStep() }
        meter = WorkMeter()
    }

    /// Does one step.
    ///
    /// - Parameter onBlock: see `BlockObserver`; a throw leaves the state as it was before the step
    public func advance(onBlock: BlockObserver? = nil) throws {
        precondition(!isFinished)
        let clock = ContinuousClock()
        let start = clock.now
        let before = DenoisingState.Point(step: step, latents: latents)
        let output = try evaluateAll(before, onBlock)
        let velocity = Patches.image(
            from: output, grid: grid, size: transformer.configuration.patchSize,
            channels: transformer.configuration.latentChannels)
        latents = schedule.advance(latents, velocity: velocity, step: step)
        self.velocity = velocity
        if evaluations[0].pruner?.isJudging == true { judged = before }
        step += 1
        let skipped = evaluations.reduce(0) { $0 + ($1.pruner?.skippedHeadCount ?? 0) }
        for evaluation in evaluations { evaluation.pruner?.endStep() }
        meter.addStep(seconds: (clock.now - start).seconds, isPruned: skipped > 0)
    }

    /// The guided velocity, in rows of patches.
    private func evaluateAll(
        _ point: DenoisingState.Point, _ onBlock: BlockObserver?
    ) throws -> Tensor {
        let patches = Patches.rows(of: point.latents, size: transformer.configuration.patchSize)
        let time = schedule.time(atStep: point.step)
        let positive = try evaluate(evaluations[0], patches, time, point.step, onBlock)
        let isTruncated = request.guidanceTruncation <= 1 && time > request.guidanceTruncation
        guard request.guidance > 0, !isTruncated else { return positive }
        let negative = try evaluate(evaluations[1], patches, time, point.step, onBlock)
        return guided(positive, negative)
    }

    private func evaluate(
        _ evaluation: Evaluation, _ patches: Tensor, _ time: Float, _ step: Int,
        _ onBlock: BlockObserver?
    ) throws -> Tensor {
        let pruner = evaluation.pruner
        pruner?.beginStep(step)
        let output = try transformer.velocity(
            patches: patches, captions: evaluation.captions, times: [time], plan: evaluation.plan,
            operations: operations, gates: pruner.map { pruner in { pruner.gate($0) } },
            onBlock: onBlock)
        meter.add(
            evaluation: evaluation.work, pruner: pruner, isJudging: pruner?.isJudging ?? false)
        return output
    }

    /// pos + g · (pos − neg), scaled down to the bound on its norm if there is one.
    private func guided(_ positive: Tensor, _ negative: Tensor) -> Tensor {
        let count = positive.count
        let output = Tensor(uninitialized: positive.shape)
        for i in 0..<count {
            let value = positive.floats[i]
            output.floats[i] = value + request.guidance * (value - negative.floats[i])
        }
        guard request.guidanceNormalization > 0 else { return output }
        let bound = Self.norm(positive) * request.guidanceNormalization
        let norm = Self.norm(output)
        guard norm > bound else { return output }
        return operations.affine(output, scale: bound / norm, offset: 0)
    }

    private static func norm(_ x: Tensor) -> Float {
        Float(sumOfSquares(x).squareRoot())
    }

    /// The state after the last step.
    public var state: DenoisingState {
        DenoisingState(
            current: DenoisingState.Point(step: step, latents: latents), judged: judged,
            fingerprint: fingerprint, origin: origin)
    }

    /// The image that the last velocity points to: latents + σ · velocity; for previews.
    public var estimate: Tensor {
        guard let velocity, !isFinished else { return latents }
        let sigma = schedule.sigmas[step]
        let output = Tensor(uninitialized: latents.shape)
        for i in 0..<latents.count {
            output.floats[i] = latents.floats[i] + sigma * velocity.floats[i]
        }
        return output
    }

    /// What pruning did so far; nil when it is off.
    public var pruningReport: PruningReport? {
        meter.report(evaluations[0].pruner, transformer: transformer)
    }
}

extension Duration {
    /// The duration in seconds.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
