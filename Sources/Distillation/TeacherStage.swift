// Training the teacher: flow matching on latents, the text encoder learning along.
import Autodiff
import Checkpoints
import Foundation
import NeuralLayers
import TensorCore
import Tokenizers
import ZImageModel

/// What a recipe says about the teacher.
public struct TeacherRecipe: Sendable {
    public var run: RunSettings
    /// `Qwen3Model`'s and `ZImageTransformer2DModel`'s configurations.
    var text: Configuration
    var transformer: Configuration
    var scheduler: Configuration
    /// Share of captions replaced by the empty one, for guidance.
    var dropout: Double
    var noiseLevels: NoiseLevels
    /// Groups of the data set that are learnt; empty for all.
    var groups: [String]
    /// A checkpoint to start from; nil for fresh weights.
    var start: String?
    var samples: SampleSettings

    public init(_ recipe: RecipeObject) throws {
        let stage = try recipe.string("stage")
        guard stage == "teacher" else { throw recipe.invalid("stage", "is \(stage), not teacher") }
        run = try RunSettings(recipe)
        text = try recipe.modelConfiguration(
            "text_encoder", keys: ModelConfigurationKeys.textEncoder)
        transformer = try recipe.modelConfiguration(
            "transformer", keys: ModelConfigurationKeys.transformer)
        scheduler = try recipe.modelConfiguration(
            "scheduler", keys: ModelConfigurationKeys.scheduler)
        dropout = try recipe.float("caption_dropout", default: 0.1, in: 0...1)
        noiseLevels = NoiseLevels(
            evenShare: try recipe.float("even_share", default: 0.25, in: 0...1),
            shift: Float(try recipe.float("noise_shift", default: 1, in: 0.01...100)))
        groups = try recipe.strings("groups")
        let start = try recipe.string("start", default: "")
        self.start = start.isEmpty ? nil : start
        samples = try SampleSettings(recipe.object("samples"))
        try recipe.finish()
    }
}

/// How sample sheets are made.
public struct SampleSettings: Sendable {
    var prompts: [String]
    var steps: Int
    var guidance: Float

    init(_ recipe: RecipeObject) throws {
        prompts = try recipe.strings("prompts")
        steps = try recipe.int("steps", default: 20, in: 1...1000)
        guidance = Float(try recipe.float("guidance", default: 2, in: 0...100))
        try recipe.finish()
    }
}

/// The teacher's stage.
public final class TeacherStage: TrainingStage {
    public struct Piece {
        let places: [Int]
        let captions: [[Int32]]
        /// Noise levels.
        let sigmas: [Float]
        /// Rows of patches, [samples · patches, patchWidth].
        let noise: Tensor
    }

    public let lossNames = ["loss", "loss_noisy", "loss_clear"]
    public let metricNames: [String] = []
    public let parameters: ParameterStore
    private let recipe: TeacherRecipe
    private let model: Denoiser
    private let context: DenoiserContext

    /// - Parameter base: the folder with `vae` and `tokenizer`
    public init(
        _ recipe: TeacherRecipe, data: ImageFolder, base: String, team: ComputeTeam
    ) throws {
        self.recipe = recipe
        context = try DenoiserContext(
            data: data, base: base, text: recipe.text, transformer: recipe.transformer,
            scheduler: recipe.scheduler, groups: recipe.groups,
            source: "\(recipe.run.file), \"groups\"", team: team)
        parameters =
            try recipe.start.map(Denoiser.copied)
            ?? Denoiser.initialized(seed: recipe.run.seed)
        model = try context.denoiser(parameters)
    }

    public func isMatrix(_ name: String) -> Bool { Denoiser.isMatrix(name) }

    public func pieces(step: Int) throws -> [Piece] {
        var random = generator(seed: recipe.run.seed, step: step)
        let (batch, size) = (recipe.run.batchSize, recipe.run.pieceSize)
        let drawn = context.places(step: step, recipe.run)
        let levels = recipe.noiseLevels.draw(batch, &random)
        return stride(from: 0, to: batch, by: size).map { start in
            let places = Array(drawn[start..<start + size])
            let captions = places.map {
                context.caption($0, dropout: recipe.dropout, &random)
            }
            let shape = context.latents.patches[places[0]]!.shape
            let rows = shape[0] * places.count
            let noise = Tensor(random.normals(rows * shape[1]), shape: [rows, shape[1]])
            return Piece(
                places: places, captions: captions,
                sigmas: Array(levels[start..<start + size]), noise: noise)
        }
    }

    public func backward(
        _ piece: Piece, step: Int, share: Float, through recorder: RecordingOperations
    ) throws -> [Double] {
        let grid = context.latents.grid
        let plan = SequencePlan(
            samples: piece.captions.map { (grid, $0.count) },
            configuration: context.transformerConfiguration)
        let (noisy, target) = context.mixed(piece.places, piece.noise, piece.sigmas)
        let features = try model.textEncoder.encode(piece.captions, operations: recorder)
        let captions = try model.transformer.refineCaptions(
            features, plan: plan, operations: recorder)
        let velocity = try model.transformer.velocity(
            patches: noisy, captions: captions, times: piece.sigmas.map { 1 - $0 }, plan: plan,
            operations: recorder)
        let gradient = Tensor(uninitialized: velocity.shape)
        let width = velocity.count / piece.places.count
        var (total, noisySum, noisyCount) = (0.0, 0.0, 0)
        for (index, sigma) in piece.sigmas.enumerated() {
            var sum = 0.0
            for i in index * width..<(index + 1) * width {
                let difference = velocity.floats[i] - target.floats[i]
                sum += Double(difference * difference)
                gradient.floats[i] = 2 * difference * share / Float(velocity.count)
            }
            total += sum / Double(velocity.count)
            if sigma > 0.7 {
                noisySum += sum / Double(width)
                noisyCount += 1
            }
        }
        recorder.backward(from: [(velocity, gradient)])
        let count = piece.places.count
        let clearCount = count - noisyCount
        let clearSum = total * Double(count) - noisySum
        return [
            total, noisyCount > 0 ? noisySum / Double(noisyCount) : total,
            clearCount > 0 ? clearSum / Double(clearCount) : total,
        ]
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
