// Training the student: in few steps and without guidance where the teacher goes in many with it.
import Autodiff
import Checkpoints
import Foundation
import TensorCore
import ZImageModel

/// The student's stage. It begins as a copy of the teacher.
///
/// For latents on the way from noise to data, the teacher goes over one of the student's steps in
/// several of its own, guided; the student learns the straight line between the ends (progressive
/// distillation, Salimans & Ho 2022, with guidance folded in as in Meng et al. 2023).
public final class DistillationStage: TrainingStage {
    public struct Piece {
        let places: [Int]
        let captions: [[Int32]]
        /// Noise levels before and after the student's step.
        let sigmas: [(start: Float, end: Float)]
        let noise: Tensor
        /// Samples whose estimates go through the autoencoder.
        let aligned: [Int]
    }

    public let lossNames = ["loss", "prediction", "trajectory", "features", "alignment"]
    public let metricNames: [String] = []
    public let parameters: ParameterStore
    private let recipe: DistillationRecipe
    private let context: DenoiserContext
    private let student: Denoiser
    private let teacher: LatentSampler

    /// - Parameter teacher: the teacher's checkpoint folder
    /// - Throws: `CheckpointError` when it is no complete checkpoint of the family,
    ///   `TrainingError` when it does not fit the data set
    public init(
        _ recipe: DistillationRecipe, data: ImageFolder, teacher folder: String, team: ComputeTeam
    ) throws {
        self.recipe = recipe
        // A complete pipeline of the family, or an error that says what it is instead.
        _ = try ZImageCheckpoint(folder: folder)
        func configuration(_ name: String) throws -> Configuration {
            try Configuration(path: "\(folder)/\(name)")
        }
        context = try DenoiserContext(
            data: data, base: folder, text: configuration("text_encoder/config.json"),
            transformer: configuration("transformer/config.json"),
            scheduler: configuration("scheduler/scheduler_config.json"), groups: recipe.groups,
            source: "\(recipe.run.file), \"groups\"", team: team)
        let fixed = try Denoiser.copied(from: folder)
        let model = try context.denoiser(fixed)
        teacher = LatentSampler(
            textEncoder: model.textEncoder, transformer: model.transformer,
            schedule: context.scheduleConfiguration)
        parameters = fixed.copy()
        student = try context.denoiser(parameters)
    }

    public func isMatrix(_ name: String) -> Bool { Denoiser.isMatrix(name) }

    public func pieces(step: Int) throws -> [Piece] {
        var random = generator(seed: recipe.run.seed, step: step)
        let progress = Double(step) / Double(recipe.run.stepCount)
        let counts = recipe.stepCounts(at: progress)
        let (batch, size) = (recipe.run.batchSize, recipe.run.pieceSize)
        let drawn = context.places(step: step, recipe.run)
        return stride(from: 0, to: batch, by: size).map { start in
            var piece = (
                places: [Int](), captions: [[Int32]](), sigmas: [(start: Float, end: Float)](),
                aligned: [Int]()
            )
            for (index, place) in drawn[start..<start + size].enumerated() {
                piece.places.append(place)
                piece.captions.append(context.caption(place, dropout: 0, &random))
                let count = counts[random.nextIndex(below: counts.count)]
                let levels = FlowMatchSchedule(
                    stepCount: count, imageTokenCount: context.latents.grid.count,
                    configuration: context.scheduleConfiguration)
                let node = random.nextIndex(below: count)
                piece.sigmas.append((levels.sigmas[node], levels.sigmas[node + 1]))
                if Double(random.nextUniform()) < recipe.alignmentShare {
                    piece.aligned.append(index)
                }
            }
            let shape = context.latents.patches[piece.places[0]]!.shape
            let rows = shape[0] * piece.places.count
            return Piece(
                places: piece.places, captions: piece.captions, sigmas: piece.sigmas,
                noise: Tensor(random.normals(rows * shape[1]), shape: [rows, shape[1]]),
                aligned: recipe.alignment > 0 ? piece.aligned : [])
        }
    }

    public func backward(
        _ piece: Piece, step: Int, share: Float, through recorder: RecordingOperations
    ) throws -> [Double] {
        let starts = piece.sigmas.map(\.start)
        let (noisy, _) = context.mixed(piece.places, piece.noise, starts)
        let guide = try teacherTargets(piece, noisy, recorder.eager)
        let plan = SequencePlan(
            samples: piece.captions.map { (context.latents.grid, $0.count) },
            configuration: context.transformerConfiguration)
        let features = try student.textEncoder.encode(piece.captions, operations: recorder)
        let captions = try student.transformer.refineCaptions(
            features, plan: plan, operations: recorder)
        var hidden: [Tensor] = []
        let velocity = try student.transformer.velocity(
            patches: noisy, captions: captions, times: starts.map { 1 - $0 }, plan: plan,
            operations: recorder,
            onBlock: { name, value in
                if name.hasPrefix("transformer.layers.") { hidden.append(value) }
            })
        var losses = VelocityLoss(
            recipe,
            weights: piece.places.enumerated().map {
                subjectWeights(context.latents.subjects[$1] ?? guide.attention?[$0])
            },
            share: share)
        losses.add(velocity, prediction: guide.first, trajectory: guide.mean)
        var seeds = [(result: velocity, gradient: losses.gradient)]
        if recipe.features > 0 {
            for (own, other) in zip(hidden, guide.hidden) {
                seeds.append((own, losses.addFeatures(own, other, count: hidden.count)))
            }
        }
        for index in piece.aligned {
            seeds += try alignment(
                index, piece, noisy, velocity, guide.mean, recorder, &losses)
        }
        recorder.backward(from: seeds)
        return losses.values
    }

    /// How much each patch of an image weighs, 1 on average.
    ///
    /// - Parameter coverage: 0…1 by patch: how much of it the subject takes
    private func subjectWeights(_ coverage: [Float]?) -> [Float] {
        guard recipe.subject > 0, let coverage else {
            return [Float](repeating: 1, count: context.latents.grid.count)
        }
        let raw = coverage.map { 1 + recipe.subject * $0 }
        let mean = raw.reduce(0, +) / Float(raw.count)
        return raw.map { $0 / mean }
    }

    private struct Targets {
        /// Guided velocity at the start.
        let first: Tensor
        /// Mean guided velocity over the step.
        let mean: Tensor
        /// Hidden states of the captioned samples at the start.
        let hidden: [Tensor]
        /// By sample: its patches' attention to the caption at the start; nil if masks say more.
        let attention: [[Float]]?
    }

    /// Goes over the student's steps in the teacher's.
    private func teacherTargets(
        _ piece: Piece, _ noisy: Tensor, _ operations: EagerOperations
    ) throws -> Targets {
        let captions = try teacher.captions(
            piece.captions, empty: context.emptyTokens, guidance: recipe.guidance,
            grid: context.latents.grid, operations: operations)
        let substeps = recipe.trajectory > 0 ? recipe.substeps : 1
        let width = noisy.count / piece.places.count
        let hasMasks = piece.places.allSatisfy { context.latents.subjects[$0] != nil }
        let probe =
            recipe.subject > 0 && !hasMasks
            ? CaptionAttention(
                patchCount: context.latents.grid.count,
                captionLengths: piece.captions.map(\.count), operations: operations)
            : nil
        var (latents, first) = (noisy.copy(), noisy)
        var hidden: [Tensor] = []
        for substep in 0..<substeps {
            let levels = piece.sigmas.map { sigma in
                sigma.start + (sigma.end - sigma.start) * Float(substep) / Float(substeps)
            }
            let velocity = try teacher.velocity(
                latents, captions, times: levels.map { 1 - $0 }, operations: operations,
                probe: substep == 0 ? probe : nil,
                onBlock: substep == 0 && recipe.features > 0
                    ? { name, value in
                        if name.hasPrefix("transformer.layers.") { hidden.append(value) }
                    } : nil)
            if substep == 0 { first = velocity }
            let next = Tensor(uninitialized: latents.shape)
            for (index, sigma) in piece.sigmas.enumerated() {
                let stride = (sigma.start - sigma.end) / Float(substeps)
                for i in index * width..<(index + 1) * width {
                    next.floats[i] = latents.floats[i] + stride * velocity.floats[i]
                }
            }
            latents = next
        }
        let mean = Tensor(uninitialized: latents.shape)
        for (index, sigma) in piece.sigmas.enumerated() {
            for i in index * width..<(index + 1) * width {
                mean.floats[i] =
                    (latents.floats[i] - noisy.floats[i]) / (sigma.start - sigma.end)
            }
        }
        return Targets(
            first: first, mean: mean, hidden: hidden, attention: probe?.shares)
    }

    /// One sample's estimate of the image, through decoder and encoder, against the teacher's.
    private func alignment(
        _ index: Int, _ piece: Piece, _ noisy: Tensor, _ velocity: Tensor, _ target: Tensor,
        _ recorder: RecordingOperations, _ losses: inout VelocityLoss
    ) throws -> [(result: Tensor, gradient: Tensor)] {
        let count = context.latents.grid.count
        let rows = index * count..<(index + 1) * count
        let sigma = piece.sigmas[index].start
        func features(
            _ velocity: Tensor, _ operations: some TensorOperations, _ image: (Tensor) -> Tensor
        ) throws -> [Tensor] {
            // The estimate of the data: x + σ v.
            let estimate = operations.add(
                noisy.rows(rows), operations.affine(velocity, scale: sigma, offset: 0))
            let latents = context.autoencoder.denormalize(
                image(estimate), operations: operations)
            let pixels = try context.autoencoder.decode(latents, operations: operations)
            var found: [Tensor] = []
            _ = try context.autoencoder.encode(
                pixels, operations: operations,
                onBlock: { name, value in
                    if name.hasPrefix("vae.encoder.down_blocks.") { found.append(value) }
                })
            return found
        }
        let size = context.transformerConfiguration.patchSize
        let (grid, channels) = (context.latents.grid, context.latents.shape[0])
        let others = try features(target.rows(rows), recorder.eager) {
            Patches.image(from: $0, grid: grid, size: size, channels: channels)
        }
        let own = try features(velocity.rows(rows), recorder) {
            recorder.image(from: $0, grid: grid, size: size, channels: channels)
        }
        return zip(own, others).map { mine, other in
            (
                mine,
                losses.addAlignment(
                    mine, other, layers: own.count, samples: piece.places.count)
            )
        }
    }

    public func report(
        _ average: ParameterStore, step: Int, team: ComputeTeam
    ) throws -> (metrics: [Double], sheet: ContactSheet?) {
        let sheet = try context.sheet(try context.denoiser(average), recipe.samples, team: team)
        return ([], sheet)
    }

    public func export(_ average: ParameterStore, to folder: String, team: ComputeTeam) throws {
        try context.write(average, to: folder)
    }
}
