// The configuration of the image autoencoder.
import Checkpoints

/// The fields of an `AutoencoderKL` `config.json`.
public struct AutoencoderConfiguration: Sendable, Equatable {
    public let imageChannels: Int
    public let latentChannels: Int
    /// Channels of each level, from full resolution down.
    public let levelChannels: [Int]
    public let layersPerLevel: Int
    public let groupCount: Int
    public let hasMiddleAttention: Bool
    public let hasQuantConvolution: Bool
    public let hasPostQuantConvolution: Bool
    public let scalingFactor: Float
    public let shiftFactor: Float

    /// Image pixels along the side of a latent cell.
    public var scale: Int { 1 << (levelChannels.count - 1) }

    /// - Throws: `CheckpointError` naming the field at fault.
    public init(_ configuration: Configuration) throws {
        try configuration.require("_class_name", [.string("AutoencoderKL")])
        try configuration.require("act_fn", [.string("silu")])
        imageChannels = try configuration.int("in_channels", default: 3)
        latentChannels = try configuration.int("latent_channels", default: 4, in: 1...1024)
        levelChannels = try configuration.ints(
            "block_out_channels", default: [64], in: 1...16384)
        layersPerLevel = try configuration.int("layers_per_block", default: 1, in: 1...16)
        groupCount = try configuration.int("norm_num_groups", default: 32, in: 1...1024)
        hasMiddleAttention = try configuration.bool("mid_block_add_attention", default: true)
        hasQuantConvolution = try configuration.bool("use_quant_conv", default: true)
        hasPostQuantConvolution = try configuration.bool("use_post_quant_conv", default: true)
        scalingFactor = Float(
            try configuration.float("scaling_factor", default: 0.18215, in: 1e-6...1e6))
        shiftFactor = Float(
            try configuration.float("shift_factor", default: 0, in: -1e6...1e6))
        try validate(configuration)
    }

    private func validate(_ configuration: Configuration) throws {
        let outputs = try configuration.int("out_channels", default: 3)
        if imageChannels != 3 || outputs != 3 {
            throw configuration.fault(
                imageChannels != 3 ? "in_channels" : "out_channels", "is not 3")
        }
        if levelChannels.count > 8 {
            throw configuration.fault("block_out_channels", "has more than 8 levels")
        }
        if levelChannels.contains(where: { $0 % groupCount != 0 }) {
            throw configuration.fault(
                "norm_num_groups", "does not divide every entry of block_out_channels")
        }
        for (name, kind) in [
            ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
        ] {
            guard let types = configuration.fields[name]?.arrayValue else { continue }
            if types.count != levelChannels.count
                || types.contains(where: { $0 != .string(kind) })
            {
                throw configuration.fault(
                    name, "is not one \(kind) for each entry of block_out_channels")
            }
        }
    }
}
