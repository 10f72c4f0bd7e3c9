// Gradients of whole models, and ten steps of training, against PyTorch's.
import Autodiff
import Checkpoints
import NeuralLayers
import TensorCore
import TestSupport
import Testing
import ZImageModel

/// The tiny checkpoint as trainable parameters.
private struct TrainableCheckpoint {
    static let folder = Repository.path("Tests/Golden/a-f32-single")
    let store: ParameterStore
    let text: Qwen3TextEncoder
    let transformer: ZImageTransformer
    let configuration: TransformerConfiguration

    init() throws {
        let text = try WeightSet(folder: Self.folder + "/text_encoder", baseName: "model")
        let denoiser = try WeightSet(
            folder: Self.folder + "/transformer", baseName: "diffusion_pytorch_model")
        store = ParameterStore { name, shape in
            let parts = name.split(separator: ".", maxSplits: 1)
            let weights = parts[0] == "text_encoder" ? text : denoiser
            return try weights.tensor(String(parts[1]), shape: shape).copy()
        }
        self.text = try Qwen3TextEncoder(
            ParameterScope(prefix: "text_encoder.", load: store.tensor),
            Qwen3Configuration(Configuration(path: Self.folder + "/text_encoder/config.json")))
        configuration = try TransformerConfiguration(
            Configuration(path: Self.folder + "/transformer/config.json"))
        transformer = try ZImageTransformer(
            ParameterScope(prefix: "transformer.", load: store.tensor), configuration)
    }
}

@Suite struct TorchGradientTests {
    private static let ids: [[Int32]] = [
        [5, 17, 300, 2, 9], (0..<33).map { Int32($0 * 37 % 500) },
    ]
    private static let times: [Float] = [0.25, 0.75]

    /// The mean squared difference of the velocities from targets, and the recorder after going
    /// back.
    private func denoiserLoss(
        _ model: TrainableCheckpoint, _ golden: GoldenData, _ eager: EagerOperations
    ) throws -> (loss: Double, recorder: RecordingOperations) {
        func rows(_ name: String) throws -> Tensor {
            let parts = try (0..<2).map {
                Patches.rows(of: try golden.tensor("denoiser.\(name).\($0)"), size: 2)
            }
            return eager.gatherRows(parts, [(0, 0..<24), (1, 0..<24)])
        }
        let recorder = RecordingOperations(eager, parameters: model.store.all)
        let plan = SequencePlan(
            samples: Self.ids.map { (PatchGrid(rows: 4, columns: 6), $0.count) },
            configuration: model.configuration)
        let features = try model.text.encode(Self.ids, operations: recorder)
        let captions = try model.transformer.refineCaptions(
            features, plan: plan, operations: recorder)
        let velocity = try model.transformer.velocity(
            patches: rows("latents"), captions: captions, times: Self.times, plan: plan,
            operations: recorder)
        let difference = eager.add(
            velocity, eager.affine(try rows("target"), scale: -1, offset: 0))
        let count = Float(velocity.count)
        recorder.backward(from: [
            (velocity, eager.affine(difference, scale: 2 / count, offset: 0))
        ])
        return (sumOfSquares(difference) / Double(count), recorder)
    }

    /// Compares the gradient of every parameter that the golden data know.
    private func compare(
        _ prefix: String, _ store: ParameterStore, _ gradients: GradientTable,
        _ golden: GoldenData
    ) throws {
        var compared = 0
        for name in store.names {
            let key = "\(prefix).\(name)"
            guard golden.contains(key + ".norm") else {
                #expect(gradients[store[name]] == nil, "\(name) has a gradient, PyTorch has none")
                continue
            }
            let gradient = try #require(gradients[store[name]], "\(name) has no gradient")
            let norm = try golden.tensor(key + ".norm").elements[0]
            let expected = try golden.tensor(key + ".elements").elements
            let elements = gradient.elements
            // A key's bias has a gradient of zero, but for rounding.
            let bound = Tolerance.gradient * Double(norm) + 1e-7
            let actualNorm = sumOfSquares(gradient).squareRoot()
            #expect(abs(actualNorm - Double(norm)) <= bound, "\(name): norm \(actualNorm)")
            for (index, value) in expected.enumerated() {
                let actual = elements[index * elements.count / expected.count]
                #expect(abs(Double(actual - value)) <= bound, "\(name) [\(index)]: \(actual)")
            }
            compared += 1
        }
        #expect(compared > 50)
    }

    @Test(arguments: [ProductKernels.automatic, .openBLAS])
    func `gradients of text encoder and transformer`(_ products: ProductKernels) throws {
        let golden = try GoldenData(file: "gradients")
        let model = try TrainableCheckpoint()
        let eager = EagerOperations(pool: ThreadPool(threadCount: 1), products: products)
        let (loss, recorder) = try denoiserLoss(model, golden, eager)
        let expected = Double(try golden.tensor("denoiser.loss").elements[0])
        #expect(abs(loss - expected) <= 1e-5 * expected)
        try compare("denoiser", model.store, recorder.gradients, golden)
    }

    /// The autoencoder of the tiny checkpoint as trainable parameters.
    private func autoencoder() throws -> (ParameterStore, Autoencoder) {
        let folder = TrainableCheckpoint.folder + "/vae"
        let weights = try WeightSet(folder: folder, baseName: "diffusion_pytorch_model")
        let store = ParameterStore { try weights.tensor($0, shape: $1).copy() }
        let model = try Autoencoder(
            ParameterScope(load: store.tensor),
            AutoencoderConfiguration(Configuration(path: folder + "/config.json")))
        return (store, model)
    }

    private func autoencoderLoss(
        _ store: ParameterStore, _ model: Autoencoder, _ image: Tensor, _ eager: EagerOperations
    ) throws -> (loss: Double, recorder: RecordingOperations) {
        let recorder = RecordingOperations(eager, parameters: store.all)
        let moments = try model.encode(image, operations: recorder)
        let means = moments.rows(0..<moments.shape[0] / 2)
        let decoded = try model.decode(means, operations: recorder)
        let difference = eager.add(decoded, eager.affine(image, scale: -1, offset: 0))
        let (count, momentCount) = (Float(image.count), Float(moments.count))
        recorder.backward(from: [
            (decoded, eager.affine(difference, scale: 2 / count, offset: 0)),
            (moments, eager.affine(moments, scale: 0.2 / momentCount, offset: 0)),
        ])
        let loss =
            sumOfSquares(difference) / Double(count)
            + 0.1 * sumOfSquares(moments) / Double(momentCount)
        return (loss, recorder)
    }

    @Test(arguments: [ProductKernels.automatic, .openBLAS])
    func `gradients of the autoencoder`(_ products: ProductKernels) throws {
        let golden = try GoldenData(file: "gradients")
        let (store, model) = try autoencoder()
        let eager = EagerOperations(pool: ThreadPool(threadCount: 2), products: products)
        let (_, recorder) = try autoencoderLoss(
            store, model, golden.tensor("vae.image"), eager)
        try compare("vae", store, recorder.gradients, golden)
    }

    @Test func `ten steps of AdamW follow PyTorch's loss`() throws {
        let golden = try GoldenData(file: "gradients")
        let (store, model) = try autoencoder()
        let team = ComputeTeam(threadCount: 2)
        var settings = OptimizerSettings()
        settings.epsilon = 1e-4
        settings.gradientLimit = 0
        let optimizer = Optimizer(store, settings) { _ in false }
        let losses = try golden.tensor("vae.losses").elements
        #expect(losses.count == 10)
        for (step, expected) in losses.enumerated() {
            let (loss, recorder) = try autoencoderLoss(
                store, model, golden.tensor("vae.image"), team.whole)
            #expect(
                abs(loss - Double(expected)) <= Tolerance.lossCurve * Double(expected),
                "step \(step): \(loss) instead of \(expected)")
            var gradients: [String: Tensor] = [:]
            for name in store.names { gradients[name] = recorder.gradients[store[name]] }
            optimizer.step(
                gradients, norm: Optimizer.norm(gradients, team), schedule: 1, team)
        }
    }
}
