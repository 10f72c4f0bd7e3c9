// The configuration of the diffusion transformer.
import Checkpoints

/// The fields of a `ZImageTransformer2DModel` `config.json`.
public struct TransformerConfiguration: Sendable, Equatable {
    public let width: Int
    public let layerCount: Int
    public let refinerLayerCount: Int
    public let headCount: Int
    public let latentChannels: Int
    public let captionWidth: Int
    public let normEpsilon: Float
    public let hasQueryKeyNorm: Bool
    public let ropeTheta: Double
    public let timeScale: Float
    /// Rotary dimensions of each head that turn with the axes (sequence, row, column).
    public let axisDimensions: [Int]
    /// Positions that exist on each axis.
    public let axisLengths: [Int]

    /// Latent rows and columns of a patch. A checkpoint can hold embedders for other sizes too; the
    /// pipeline uses this one.
    public let patchSize = 2

    public var headDimension: Int { width / headCount }
    /// Width of queries, keys and values; less than `width` when the heads do not divide it.
    public var attentionWidth: Int { headCount * headDimension }
    /// Hidden width of the feed-forward blocks.
    public var feedForwardWidth: Int { Int(Double(width) / 3 * 8) }
    /// Width of the time embedding.
    public var timeWidth: Int { min(width, 256) }
    public var patchWidth: Int { patchSize * patchSize * latentChannels }

    /// - Throws: `CheckpointError` naming the field at fault.
    public init(_ configuration: Configuration) throws {
        try configuration.require("_class_name", [.string("ZImageTransformer2DModel")])
        width = try configuration.int("dim", default: 3840, in: 1...65536)
        layerCount = try configuration.int("n_layers", default: 30, in: 0...512)
        refinerLayerCount = try configuration.int("n_refiner_layers", default: 2, in: 0...64)
        headCount = try configuration.int("n_heads", default: 30, in: 1...1024)
        latentChannels = try configuration.int("in_channels", default: 16, in: 1...1024)
        captionWidth = try configuration.int("cap_feat_dim", default: 2560, in: 1...65536)
        normEpsilon = Float(try configuration.float("norm_eps", default: 1e-5, in: 0...0.1))
        hasQueryKeyNorm = try configuration.bool("qk_norm", default: true)
        ropeTheta = try configuration.float("rope_theta", default: 256, in: 1...1e12)
        timeScale = Float(try configuration.float("t_scale", default: 1000, in: 1e-6...1e9))
        axisDimensions = try configuration.ints("axes_dims", default: [32, 48, 48])
        axisLengths = try configuration.ints("axes_lens", default: [1024, 512, 512])
        try validate(configuration)
    }

    private func validate(_ configuration: Configuration) throws {
        let patchSizes = try configuration.ints("all_patch_size", default: [2])
        let framePatchSizes = try configuration.ints("all_f_patch_size", default: [1])
        if !zip(patchSizes, framePatchSizes).contains(where: { $0 == patchSize && $1 == 1 }) {
            throw configuration.fault(
                "all_patch_size", "does not offer patches of 2 x 2, the only supported size")
        }
        if !configuration.isAbsent("siglip_feat_dim") {
            throw CheckpointError(
                .unsupported, "asks for image conditioning (the Omni variant)",
                file: configuration.file, element: "field \"siglip_feat_dim\"",
                remedy: "use a text-to-image checkpoint")
        }
        if axisDimensions.count != 3 || axisLengths.count != 3 {
            throw configuration.fault(
                axisDimensions.count != 3 ? "axes_dims" : "axes_lens",
                "does not have three entries")
        }
        if axisDimensions.contains(where: { $0 % 2 != 0 })
            || axisDimensions.reduce(0, +) != headDimension
        {
            throw configuration.fault(
                "axes_dims",
                "is \(axisDimensions); three even numbers that add up to dim / n_heads = "
                    + "\(headDimension) are needed")
        }
    }
}
