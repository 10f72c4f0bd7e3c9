// The configuration of the text encoder.
import Checkpoints

/// The fields of a Qwen3 `config.json` that the encoder depends on.
public struct Qwen3Configuration: Sendable, Equatable {
    public let vocabularySize: Int
    public let hiddenSize: Int
    public let intermediateSize: Int
    public let layerCount: Int
    public let headCount: Int
    public let keyValueHeadCount: Int
    public let headDimension: Int
    public let normEpsilon: Float
    public let ropeTheta: Float
    public let hasAttentionBias: Bool
    public let maximumPositionCount: Int

    /// - Throws: `CheckpointError` naming the field that is missing, out of range or asks for
    ///   something that is not implemented.
    public init(_ configuration: Configuration) throws {
        try configuration.require("model_type", [.string("qwen3")])
        try configuration.require("hidden_act", [.string("silu")])
        try configuration.require("use_sliding_window", [.bool(false)])
        vocabularySize = try configuration.int("vocab_size", default: 151936)
        hiddenSize = try configuration.int("hidden_size", default: 4096, in: 1...65536)
        intermediateSize = try configuration.int(
            "intermediate_size", default: 22016, in: 1...1 << 18)
        layerCount = try configuration.int("num_hidden_layers", default: 32, in: 1...512)
        headCount = try configuration.int("num_attention_heads", default: 32, in: 1...1024)
        keyValueHeadCount = try configuration.int(
            "num_key_value_heads", default: headCount, in: 1...1024)
        headDimension = try configuration.int("head_dim", default: 128, in: 2...1024)
        normEpsilon = Float(
            try configuration.float("rms_norm_eps", default: 1e-6, in: 0...0.1))
        hasAttentionBias = try configuration.bool("attention_bias", default: false)
        maximumPositionCount = try configuration.int(
            "max_position_embeddings", default: 32768, in: 1...1 << 24)
        if headCount % keyValueHeadCount != 0 {
            throw configuration.fault(
                "num_key_value_heads", "does not divide num_attention_heads")
        }
        if headDimension % 2 != 0 {
            throw configuration.fault("head_dim", "is odd")
        }
        if let types = configuration.fields["layer_types"]?.arrayValue,
            types.contains(where: { $0 != .string("full_attention") })
        {
            throw configuration.fault(
                "layer_types", "has an entry other than full_attention, which is not supported")
        }
        ropeTheta = try Self.ropeTheta(configuration)
    }

    /// `rope_parameters` of transformers 5, or the older `rope_theta` with an absent
    /// `rope_scaling`.
    private static func ropeTheta(_ configuration: Configuration) throws -> Float {
        let scaling = configuration.fields["rope_scaling"]?.objectValue
        let fields =
            configuration.fields["rope_parameters"]?.objectValue ?? scaling
            ?? [:]
        let rope = Configuration(file: configuration.file, fields: fields)
        try rope.require("rope_type", [.string("default")])
        try rope.require("type", [.string("default")])
        if !rope.isAbsent("rope_theta") {
            return Float(try rope.float("rope_theta", in: 1...1e12))
        }
        return Float(try configuration.float("rope_theta", default: 10000, in: 1...1e12))
    }
}
