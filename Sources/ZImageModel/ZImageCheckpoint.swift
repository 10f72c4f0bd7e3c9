// A checkpoint folder of the Z-Image family, in diffusers' layout.
import Checkpoints
import Foundation
import NeuralLayers
import TensorCore
import Tokenizers

/// A loaded `ZImagePipeline` folder: `model_index.json` and its five components.
///
/// Weights are mapped, not read: loading takes little time and memory, and processes on one host
/// share the pages.
public struct ZImageCheckpoint {
    public let folder: String
    public let tokenizer: Qwen2Tokenizer
    public let textEncoder: Qwen3TextEncoder
    public let transformer: ZImageTransformer
    public let autoencoder: Autoencoder
    public let scheduleConfiguration: ScheduleConfiguration
    /// The weights by component: `text_encoder`, `transformer`, `vae`.
    public let weights: [(component: String, set: WeightSet)]

    /// The classes that each component may have.
    private static let componentClasses: [(name: String, classes: [String])] = [
        ("scheduler", ["FlowMatchEulerDiscreteScheduler"]),
        ("text_encoder", ["Qwen3Model", "Qwen3ForCausalLM"]),
        ("tokenizer", ["Qwen2Tokenizer", "Qwen2TokenizerFast"]),
        ("transformer", ["ZImageTransformer2DModel"]),
        ("vae", ["AutoencoderKL"]),
    ]

    /// Opens and checks a folder.
    /// - Throws: `CheckpointError` or `TokenizerError` naming the file and the tensor or field.
    public init(folder: String) throws {
        self.folder = folder
        try Self.checkIndex(folder)
        tokenizer = try Qwen2Tokenizer(directory: URL(fileURLWithPath: "\(folder)/tokenizer"))
        scheduleConfiguration = try ScheduleConfiguration(
            Configuration(path: "\(folder)/scheduler/scheduler_config.json"))

        let text = try Component(folder, "text_encoder", baseName: "model")
        // Checkpoints of the causal language model keep the encoder under `model.`, and may hold
        // its output head too, which the pipeline does not use.
        let prefix = text.weights.contains("model.embed_tokens.weight") ? "model." : ""
        textEncoder = try Qwen3TextEncoder(
            text.scope(prefix: prefix), Qwen3Configuration(text.configuration))
        try text.weights.requireAllUsed { $0 == "lm_head.weight" }

        let denoiser = try Component(folder, "transformer", baseName: "diffusion_pytorch_model")
        transformer = try ZImageTransformer(
            denoiser.scope(), TransformerConfiguration(denoiser.configuration))
        // Embedders for other patch sizes may be there.
        try denoiser.weights.requireAllUsed {
            $0.hasPrefix("all_x_embedder.") || $0.hasPrefix("all_final_layer.")
        }

        let vae = try Component(folder, "vae", baseName: "diffusion_pytorch_model")
        autoencoder = try Autoencoder(
            vae.scope(), AutoencoderConfiguration(vae.configuration))
        try vae.weights.requireAllUsed()
        weights = [
            ("text_encoder", text.weights), ("transformer", denoiser.weights),
            ("vae", vae.weights),
        ]
        try Self.checkAgreement(
            tokenizer: tokenizer, text: text.configuration, transformer: denoiser.configuration,
            autoencoder: autoencoder.configuration)
    }

    /// A configuration and its weights.
    private struct Component {
        let configuration: Configuration
        let weights: WeightSet

        init(_ folder: String, _ name: String, baseName: String) throws {
            configuration = try Configuration(path: "\(folder)/\(name)/config.json")
            weights = try WeightSet(folder: "\(folder)/\(name)", baseName: baseName)
        }

        func scope(prefix: String = "") -> ParameterScope {
            ParameterScope(prefix: prefix) { [weights] in try weights.tensor($0, shape: $1) }
        }
    }

    private static func checkIndex(_ folder: String) throws {
        let path = "\(folder)/model_index.json"
        guard FileManager.default.fileExists(atPath: path) else {
            throw CheckpointError(
                .missingFile, "has no model_index.json", file: folder,
                remedy: "name a checkpoint folder in diffusers' layout")
        }
        let index = try Configuration(path: path)
        try index.require("_class_name", [.string("ZImagePipeline")])
        if index.isAbsent("_class_name") {
            throw index.fault("_class_name", "is missing")
        }
        for (name, classes) in componentClasses {
            guard let entry = index.fields[name]?.arrayValue, entry.count == 2,
                let className = entry[1].stringValue
            else {
                throw index.fault(name, "does not name a class")
            }
            guard classes.contains(className) else {
                throw CheckpointError(
                    .unsupported, "is a \(className), which is not supported", file: path,
                    element: "field \"\(name)\"",
                    remedy: "use a checkpoint where it is \(classes.joined(separator: " or "))")
            }
        }
    }

    /// Throws a `CheckpointError` when components do not fit each other.
    public static func checkAgreement(
        tokenizer: Qwen2Tokenizer, text: Configuration, transformer: Configuration,
        autoencoder: AutoencoderConfiguration
    ) throws {
        let denoiser = try TransformerConfiguration(transformer)
        let encoder = try Qwen3Configuration(text)
        if denoiser.captionWidth != encoder.hiddenSize {
            throw transformer.fault(
                "cap_feat_dim",
                "is \(denoiser.captionWidth), but the text encoder has width "
                    + "\(encoder.hiddenSize)")
        }
        if denoiser.latentChannels != autoencoder.latentChannels {
            throw transformer.fault(
                "in_channels",
                "is \(denoiser.latentChannels), but the VAE's latent_channels is "
                    + "\(autoencoder.latentChannels)")
        }
        if tokenizer.vocabularySize > encoder.vocabularySize {
            throw text.fault(
                "vocab_size",
                "is \(encoder.vocabularySize), but the tokenizer has "
                    + "\(tokenizer.vocabularySize) entries")
        }
    }

    /// The name of the folder.
    public var name: String {
        URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
    }

    /// The element types of the transformer's weights, such as `bfloat16` or `bfloat16+float32`.
    public var weightFormat: String {
        let types = weights.first { $0.component == "transformer" }!.set.summary.elementTypes
        return types.map(\.rawValue).joined(separator: "+")
    }

    /// Pixels that width and height must be multiples of.
    public var sizeMultiple: Int {
        autoencoder.configuration.scale * transformer.configuration.patchSize
    }
}
