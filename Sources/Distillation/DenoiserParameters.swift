// The parameters of text encoder and transformer in one store, and how they begin.
import Autodiff
import Checkpoints
import Foundation
import NeuralLayers
import TensorCore
import ZImageModel

/// Text encoder and transformer as one trainable model.
struct Denoiser {
    let textEncoder: Qwen3TextEncoder
    let transformer: ZImageTransformer

    static let textPrefix = "text_encoder."
    static let transformerPrefix = "transformer."

    /// Layers over the tensors of a store.
    init(
        _ store: ParameterStore, text: Qwen3Configuration, transformer: TransformerConfiguration
    ) throws {
        textEncoder = try Qwen3TextEncoder(
            ParameterScope(prefix: Self.textPrefix, load: store.tensor), text)
        self.transformer = try ZImageTransformer(
            ParameterScope(prefix: Self.transformerPrefix, load: store.tensor), transformer)
    }

    /// First values: linear maps uniform as in PyTorch, embeddings small, the final projection
    /// zero, and gates half open, since a gate of tanh(0) would let nothing learn.
    static func initialized(seed: UInt64) -> ParameterStore {
        let initialization = ParameterInitialization(seed: seed)
        return ParameterStore { name, shape in
            if name.contains("embed_tokens") || name.hasSuffix("pad_token") {
                return initialization.normal(name, shape, deviation: 0.02)
            }
            if name.contains("all_final_layer"), name.contains("linear.weight") {
                return Tensor(zeros: shape)
            }
            if name.contains("layers.") || name.contains("refiner."),
                name.contains("adaLN_modulation")
            {
                return modulation(name, shape)
            }
            if name.contains("norm"), shape.count == 1 {
                return initialization.constant(1, shape)
            }
            if name.hasSuffix("cap_embedder.0.weight") { return initialization.constant(1, shape) }
            if shape.count == 1 { return Tensor(zeros: shape) }
            return initialization.uniform(name, shape)
        }
    }

    /// Scales begin at 1 (0 added), gates at tanh(0.3): weights zero, biases by quarter.
    private static func modulation(_ name: String, _ shape: [Int]) -> Tensor {
        guard shape.count == 1 else { return Tensor(zeros: shape) }
        let width = shape[0] / 4
        return Tensor(
            (0..<shape[0]).map { ($0 / width) % 2 == 1 ? 0.3 : 0 }, shape: shape)
    }

    /// The parameters of a finished model, as float32 copies.
    static func copied(from folder: String) throws -> ParameterStore {
        let text = try WeightSet(folder: folder + "/text_encoder", baseName: "model")
        let denoiser = try WeightSet(
            folder: folder + "/transformer", baseName: "diffusion_pytorch_model")
        return ParameterStore { name, shape in
            if name.hasPrefix(textPrefix) {
                return try text.tensor(String(name.dropFirst(textPrefix.count)), shape: shape)
                    .copy()
            }
            return try denoiser.tensor(
                String(name.dropFirst(transformerPrefix.count)), shape: shape
            ).copy()
        }
    }

    /// Muon takes the matrices of the transformer's blocks and of the text encoder's layers.
    static func isMatrix(_ name: String) -> Bool {
        let isBlock =
            name.contains("layers.") || name.contains("refiner.")
        return isBlock && !name.contains("adaLN") && !name.contains("norm")
    }
}

/// A complete checkpoint folder around trained weights.
struct PipelineFolder {
    /// The folder whose tokenizer and autoencoder are taken over.
    let base: String
    let text: Configuration
    let transformer: Configuration
    let schedulerFields: [String: JSONValue]

    func write(_ store: ParameterStore, to folder: String) throws {
        func weights(_ prefix: String) -> [String: Tensor] {
            var result: [String: Tensor] = [:]
            for (name, tensor) in store.byName where name.hasPrefix(prefix) {
                result[String(name.dropFirst(prefix.count))] = tensor
            }
            return result
        }
        try ComponentFolder.write(
            text.fields, weights: weights(Denoiser.textPrefix), baseName: "model",
            to: folder + "/text_encoder")
        try ComponentFolder.write(
            transformer.fields, weights: weights(Denoiser.transformerPrefix),
            baseName: "diffusion_pytorch_model", to: folder + "/transformer")
        let manager = FileManager.default
        try TrainingError.makeFolder(folder + "/scheduler")
        try ComponentFolder.writeJSON(
            .object(schedulerFields), to: folder + "/scheduler/scheduler_config.json")
        for component in ["tokenizer", "vae"] {
            let (from, to) = ("\(base)/\(component)", "\(folder)/\(component)")
            if URL(fileURLWithPath: from).standardized == URL(fileURLWithPath: to).standardized {
                continue
            }
            try? manager.removeItem(atPath: to)
            try TrainingError.writing(to) { try manager.copyItem(atPath: from, toPath: to) }
        }
        try ComponentFolder.writeJSON(Self.index, to: folder + "/model_index.json")
    }

    private static let index = JSONValue.object([
        "_class_name": .string("ZImagePipeline"),
        "_diffusers_version": .string("0.42.1"),
        "scheduler": .array([
            .string("diffusers"), .string("FlowMatchEulerDiscreteScheduler"),
        ]),
        "text_encoder": .array([.string("transformers"), .string("Qwen3Model")]),
        "tokenizer": .array([.string("transformers"), .string("Qwen2Tokenizer")]),
        "transformer": .array([.string("diffusers"), .string("ZImageTransformer2DModel")]),
        "vae": .array([.string("diffusers"), .string("AutoencoderKL")]),
    ])
}
