// Training the autoencoder: crops of images through encoder, noise and decoder.
import Autodiff
import Checkpoints
import Foundation
import NeuralLayers
import TensorCore
import ZImageModel

/// What a recipe says about the autoencoder.
public struct AutoencoderRecipe: Sendable {
    public var run: RunSettings
    /// `AutoencoderKL`'s configuration.
    public var model: Configuration
    var loss: PixelLoss
    /// Weight of the divergence from a normal distribution.
    var divergenceWeight: Float
    /// Side of the crops; the last steps see whole images.
    var cropSize: Int
    /// Share of the steps that see whole images.
    var wholeShare: Double
    /// Share of the pieces whose latents are pooled before decoding, against the pooled image:
    /// keeps latents smooth.
    var pooledShare: Double
    /// Share of the examples whose colours are permuted, so that colours are not guessed from
    /// shapes. All of them would be too many: from symmetric colours, grey is what is learnt first
    /// and long.
    var permutedShare: Double

    public init(_ recipe: RecipeObject) throws {
        let stage = try recipe.string("stage")
        guard stage == "vae" else { throw recipe.invalid("stage", "is \(stage), not vae") }
        run = try RunSettings(recipe)
        model = try recipe.modelConfiguration(
            "model", keys: ModelConfigurationKeys.autoencoder)
        cropSize = try recipe.int("crop", default: 64, in: 8...4096)
        wholeShare = try recipe.float("whole_share", default: 0.25, in: 0...1)
        pooledShare = try recipe.float("pooled_share", default: 0.25, in: 0...1)
        permutedShare = try recipe.float("permuted_share", default: 0.3, in: 0...1)
        let weights = try recipe.object("loss")
        func weight(_ name: String, _ fallback: Float) throws -> Float {
            Float(try weights.float(name, default: Double(fallback), in: 0...1000))
        }
        var loss = PixelLoss()
        loss.absolute = try weight("absolute", loss.absolute)
        loss.squared = try weight("squared", loss.squared)
        loss.pyramid = try weight("pyramid", loss.pyramid)
        loss.edges = try weight("edges", loss.edges)
        loss.chroma = try weight("chroma", loss.chroma)
        divergenceWeight = try weight("divergence", 1e-3)
        try weights.finish()
        try recipe.finish()
        self.loss = loss
    }
}

/// The autoencoder's stage.
public final class AutoencoderStage: TrainingStage {
    public struct Piece {
        let images: [Tensor]
        let noises: [Tensor]
        let isPooled: Bool
    }

    public let lossNames = PixelLoss.names + ["divergence"]
    public let metricNames = ["psnr"]
    public let parameters: ParameterStore
    private let recipe: AutoencoderRecipe
    private let configuration: AutoencoderConfiguration
    private let model: Autoencoder
    private let data: ImageFolder
    private let trained: [Int]
    private let heldOut: [Int]

    public init(_ recipe: AutoencoderRecipe, data: ImageFolder) throws {
        self.recipe = recipe
        self.data = data
        configuration = try AutoencoderConfiguration(recipe.model)
        trained = data.indices(in: [.train])
        heldOut = data.indices(in: [.heldOut])
        let scale = configuration.scale
        let crop = recipe.cropSize
        guard crop % (2 * scale) == 0, crop <= min(data.size.width, data.size.height),
            data.size.width % (2 * scale) == 0, data.size.height % (2 * scale) == 0
        else {
            throw TrainingError(
                .invalidRecipe,
                "is \(crop); crops and images (\(data.size)) must be multiples of \(2 * scale)",
                at: "\(recipe.run.file), \"crop\"",
                remedy: "choose a multiple no larger than the images")
        }
        guard !trained.isEmpty else {
            throw TrainingError(
                .invalidRecipe, "has no images in the split train", at: data.path,
                remedy: "build the data set again")
        }
        let initialization = ParameterInitialization(seed: recipe.run.seed)
        parameters = ParameterStore { name, shape in
            if shape.count > 1 { return Self.firstMatrix(name, shape, initialization) }
            let isNormWeight = name.contains("norm") && name.hasSuffix(".weight")
            return initialization.constant(isNormWeight ? 1 : 0, shape)
        }
        model = try Autoencoder(ParameterScope(load: parameters.tensor), configuration)
    }

    /// Every block begins as its shortcut, and the shortcuts keep the variance, so that colours and
    /// brightness, which the normalised branches lose, reach the other end from the first step.
    private static func firstMatrix(
        _ name: String, _ shape: [Int], _ initialization: ParameterInitialization
    ) -> Tensor {
        if name.hasSuffix("conv2.weight") || name.hasSuffix("to_out.0.weight") {
            return Tensor(zeros: shape)
        }
        let isShortcut =
            name.contains("conv_in") || name.contains("conv_shortcut")
            || name.contains("samplers")
        return initialization.uniform(name, shape, gain: isShortcut ? Float(3).squareRoot() : 1)
    }

    /// Muon takes the kernels between the first and the last convolutions.
    public func isMatrix(_ name: String) -> Bool {
        !name.contains("conv_in") && !name.contains("conv_out")
    }

    public func pieces(step: Int) throws -> [Piece] {
        var random = generator(seed: recipe.run.seed, step: step)
        let progress = Double(step) / Double(recipe.run.stepCount)
        let isWhole = progress >= 1 - recipe.wholeShare
        let count = recipe.run.batchSize / recipe.run.pieceSize
        return (0..<count).map { _ in
            let isPooled = Double(random.nextUniform()) < recipe.pooledShare
            var images: [Tensor] = []
            for _ in 0..<recipe.run.pieceSize {
                let index = trained[random.nextIndex(below: trained.count)]
                images.append(example(index, isWhole: isWhole, &random))
            }
            let noises = images.map { image -> Tensor in
                let shape = [
                    configuration.latentChannels, image.shape[1] / configuration.scale,
                    image.shape[2] / configuration.scale,
                ]
                return Tensor(random.normals(shape.reduce(1, *)), shape: shape)
            }
            return Piece(images: images, noises: noises, isPooled: isPooled)
        }
    }

    /// An image or the livelier of two crops, mirrored at random, its colours perhaps permuted.
    private func example(
        _ index: Int, isWhole: Bool, _ random: inout TorchGenerator
    ) -> Tensor {
        let (width, height) = (data.size.width, data.size.height)
        let bytes = data.bytes(at: index)
        let size = isWhole ? (width, height) : (recipe.cropSize, recipe.cropSize)
        var origins: [(x: Int, y: Int)] = []
        for _ in 0..<2 {
            origins.append(
                (
                    random.nextIndex(below: width - size.0 + 1),
                    random.nextIndex(below: height - size.1 + 1)
                ))
        }
        let ink = origins.map { Self.ink(bytes, width, height, $0, size) }
        let origin = ink[0] >= ink[1] ? origins[0] : origins[1]
        let mirrors = random.next() & 1 == 1
        let isPermuted = Double(random.nextUniform()) < recipe.permutedShare
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        let order = orders[random.nextIndex(below: 6)]
        let output = Tensor(uninitialized: [3, size.1, size.0])
        for channel in 0..<3 {
            let plane = (isPermuted ? order[channel] : channel) * width * height
            for y in 0..<size.1 {
                let source = plane + (origin.y + y) * width + origin.x
                let target = output.floats + (channel * size.1 + y) * size.0
                for x in 0..<size.0 {
                    let column = mirrors ? size.0 - 1 - x : x
                    target[x] = Float(bytes[source + column]) / 127.5 - 1
                }
            }
        }
        return output
    }

    /// How far a crop is from white.
    private static func ink(
        _ bytes: [UInt8], _ width: Int, _ height: Int, _ origin: (x: Int, y: Int),
        _ size: (Int, Int)
    ) -> Int {
        var sum = 0
        for channel in 0..<3 {
            for y in stride(from: origin.y, to: origin.y + size.1, by: 4) {
                let row = (channel * height + y) * width
                for x in stride(from: origin.x, to: origin.x + size.0, by: 4) {
                    sum += 255 - Int(bytes[row + x])
                }
            }
        }
        return sum
    }

    public func backward(
        _ piece: Piece, step: Int, share: Float, through recorder: RecordingOperations
    ) throws -> [Double] {
        var totals = [Double](repeating: 0, count: lossNames.count)
        let eager = recorder.eager
        let part = share / Float(piece.images.count)
        for (image, noise) in zip(piece.images, piece.noises) {
            let moments = try model.encode(image, operations: recorder)
            var latents = recorder.sampledLatents(moments, noise: noise)
            var target = image
            if piece.isPooled {
                latents = recorder.pooled(latents)
                target = Tensor(
                    PixelLoss.pooled(image.elements, image.shape[1], image.shape[2]),
                    shape: [3, image.shape[1] / 2, image.shape[2] / 2])
            }
            let output = try model.decode(latents, operations: recorder)
            let (values, gradient) = recipe.loss(output, target)
            let (divergence, divergenceGradient) = latentDivergence(moments)
            recorder.backward(from: [
                (output, eager.affine(gradient, scale: part, offset: 0)),
                (
                    moments,
                    eager.affine(
                        divergenceGradient, scale: part * recipe.divergenceWeight, offset: 0)
                ),
            ])
            for (index, value) in (values + [divergence]).enumerated() {
                totals[index] += value / Double(piece.images.count)
            }
        }
        return totals
    }

    public func report(
        _ average: ParameterStore, step: Int, team: ComputeTeam
    ) throws -> (metrics: [Double], sheet: ContactSheet?) {
        let model = try Autoencoder(ParameterScope(load: average.tensor), configuration)
        let shown = heldOut.isEmpty ? Array(trained.prefix(48)) : Array(heldOut.prefix(48))
        let outputs = try reconstructions(model, data, shown, team: team)
        var sheet = ContactSheet(size: data.size, columns: 16)
        var total = 0.0
        for (index, image) in zip(shown, outputs) {
            total += peakSignalToNoise(image, data.image(at: index))
            if sheet.count < 64 {
                sheet.add(image: data.image(at: index), caption: data.entries[index].text)
                sheet.add(image: image, caption: "reconstructed")
            }
        }
        return ([total / Double(shown.count)], sheet)
    }

    /// Writes the component with the scaling and shift that the training images' latents call for:
    /// mean 0 and standard deviation 1.
    public func export(
        _ average: ParameterStore, to folder: String, team: ComputeTeam
    ) throws {
        let model = try Autoencoder(ParameterScope(load: average.tensor), configuration)
        let moments = try LatentMoments.measure(model, data, indices: trained, team: team)
        var fields = recipe.model.fields
        fields["_class_name"] = .string("AutoencoderKL")
        fields["_diffusers_version"] = .string("0.42.1")
        fields["scaling_factor"] = .number(1 / moments.deviation)
        fields["shift_factor"] = .number(moments.mean)
        try ComponentFolder.write(
            fields, weights: average.byName, baseName: "diffusion_pytorch_model", to: folder)
    }
}

/// Mean and standard deviation of latents over a data set.
struct LatentMoments {
    let mean: Double
    let deviation: Double

    static func measure(
        _ model: Autoencoder, _ data: ImageFolder, indices: [Int], team: ComputeTeam
    ) throws -> LatentMoments {
        let chosen =
            indices.count <= 512 ? indices : (0..<512).map { indices[$0 * indices.count / 512] }
        let sums = try team.map(chosen.count) { index, operations in
            let moments = try model.encode(
                data.image(at: chosen[index]), operations: operations)
            let count = moments.count / 2
            var (sum, squares) = (0.0, 0.0)
            for i in 0..<count {
                let value = Double(moments.floats[i])
                sum += value
                squares += value * value
            }
            withExtendedLifetime(moments) {}
            return (sum, squares, count)
        }
        var (sum, squares, count) = (0.0, 0.0, 0)
        for part in sums {
            sum += part.0
            squares += part.1
            count += part.2
        }
        let mean = sum / Double(count)
        return LatentMoments(
            mean: mean, deviation: (squares / Double(count) - mean * mean).squareRoot())
    }
}
