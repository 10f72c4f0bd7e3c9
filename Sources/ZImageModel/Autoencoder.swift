// The image autoencoder: pixels ↔ latents.
import NeuralLayers
import TensorCore

/// diffusers' `AutoencoderKL`: a convolutional encoder to a diagonal Gaussian, and a decoder.
public struct Autoencoder {
    public let configuration: AutoencoderConfiguration
    let encoder: Encoder
    let decoder: Decoder
    let quantConvolution: Convolution?
    let postQuantConvolution: Convolution?

    public init(_ scope: ParameterScope, _ configuration: AutoencoderConfiguration) throws {
        self.configuration = configuration
        encoder = try Encoder(scope.scope("encoder"), configuration)
        decoder = try Decoder(scope.scope("decoder"), configuration)
        func pointwise(_ name: String, _ channels: Int) throws -> Convolution {
            try Convolution(
                scope.scope(name), inputs: channels, outputs: channels, geometry: .pointwise)
        }
        let latents = configuration.latentChannels
        quantConvolution =
            configuration.hasQuantConvolution ? try pointwise("quant_conv", 2 * latents) : nil
        postQuantConvolution =
            configuration.hasPostQuantConvolution ? try pointwise("post_quant_conv", latents) : nil
    }

    /// - Parameters:
    ///   - latents: [latentChannels, height, width] as the decoder takes them: see `denormalize`
    ///   - onBlock: see `BlockObserver`; names are `vae.decoder.*`
    /// - Returns: [3, height · scale, width · scale], −1 to 1 for displayable colours
    public func decode(
        _ latents: Tensor, operations: some TensorOperations, onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        let input = postQuantConvolution?(latents, operations) ?? latents
        return try decoder(input, operations, onBlock)
    }

    /// - Parameter image: [3, height, width] from −1 to 1, both sizes multiples of the scale
    /// - Returns: [2 · latentChannels, height / scale, width / scale]: means, then log variances
    public func encode(
        _ image: Tensor, operations: some TensorOperations, onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        let moments = try encoder(image, operations, onBlock)
        return quantConvolution?(moments, operations) ?? moments
    }

    /// The transformer's latents as the decoder takes them: x / scaling_factor + shift_factor.
    public func denormalize(_ latents: Tensor, operations: some TensorOperations) -> Tensor {
        operations.affine(
            latents, scale: 1 / configuration.scalingFactor, offset: configuration.shiftFactor)
    }

    /// The inverse of `denormalize`, for encoded images: (x − shift_factor) · scaling_factor.
    public func normalize(_ latents: Tensor, operations: some TensorOperations) -> Tensor {
        operations.affine(
            latents, scale: configuration.scalingFactor,
            offset: -configuration.shiftFactor * configuration.scalingFactor)
    }
}

/// Residual, attention, residual: the lowest level of encoder and decoder.
struct MiddleBlock {
    let first: ResidualBlock
    let attention: ImageAttention?
    let second: ResidualBlock

    init(_ scope: ParameterScope, channels: Int, _ configuration: AutoencoderConfiguration) throws {
        func block(_ index: Int) throws -> ResidualBlock {
            try ResidualBlock(
                scope.scope("resnets", index), inputs: channels, outputs: channels,
                groupCount: configuration.groupCount, epsilon: 1e-6)
        }
        first = try block(0)
        second = try block(1)
        attention =
            configuration.hasMiddleAttention
            ? try ImageAttention(
                scope.scope("attentions", 0), channels: channels,
                groupCount: configuration.groupCount, epsilon: 1e-6)
            : nil
    }

    func callAsFunction(
        _ x: Tensor, _ operations: some TensorOperations, _ onBlock: BlockObserver?, _ name: String
    ) throws -> Tensor {
        var hidden = first(x, operations)
        try onBlock?("\(name).resnets.0", hidden)
        if let attention {
            hidden = attention(hidden, operations)
            try onBlock?("\(name).attentions.0", hidden)
        }
        hidden = second(hidden, operations)
        try onBlock?(name, hidden)
        return hidden
    }
}

/// Latents to pixels, level by level upwards.
struct Decoder {
    struct Level {
        let blocks: [ResidualBlock]
        let upsampler: Convolution?
    }
    let input: Convolution
    let middle: MiddleBlock
    let levels: [Level]
    let outputNorm: GroupNorm
    let output: Convolution

    init(_ scope: ParameterScope, _ configuration: AutoencoderConfiguration) throws {
        let channels = Array(configuration.levelChannels.reversed())
        input = try Convolution(
            scope.scope("conv_in"), inputs: configuration.latentChannels, outputs: channels[0],
            geometry: .same3)
        middle = try MiddleBlock(scope.scope("mid_block"), channels: channels[0], configuration)
        levels = try channels.indices.map { index in
            let level = scope.scope("up_blocks", index)
            let blocks = try (0...configuration.layersPerLevel).map { layer in
                try ResidualBlock(
                    level.scope("resnets", layer),
                    inputs: layer == 0 ? channels[max(index - 1, 0)] : channels[index],
                    outputs: channels[index], groupCount: configuration.groupCount, epsilon: 1e-6)
            }
            let upsampler =
                index + 1 < channels.count
                ? try Convolution(
                    level.scope("upsamplers.0.conv"), inputs: channels[index],
                    outputs: channels[index], geometry: .same3)
                : nil
            return Level(blocks: blocks, upsampler: upsampler)
        }
        outputNorm = try GroupNorm(
            scope.scope("conv_norm_out"), channels: channels.last!,
            groupCount: configuration.groupCount, epsilon: 1e-6)
        output = try Convolution(
            scope.scope("conv_out"), inputs: channels.last!,
            outputs: configuration.imageChannels, geometry: .same3)
    }

    func callAsFunction(
        _ latents: Tensor, _ operations: some TensorOperations, _ onBlock: BlockObserver?
    ) throws -> Tensor {
        var x = input(latents, operations)
        try onBlock?("vae.decoder.conv_in", x)
        x = try middle(x, operations, onBlock, "vae.decoder.mid_block")
        for (index, level) in levels.enumerated() {
            for (layer, block) in level.blocks.enumerated() {
                x = block(x, operations)
                try onBlock?("vae.decoder.up_blocks.\(index).resnets.\(layer)", x)
            }
            if let upsampler = level.upsampler {
                x = upsampler.upsampling(x, operations)
            }
            try onBlock?("vae.decoder.up_blocks.\(index)", x)
        }
        return output(outputNorm(x, silu: true, operations), operations)
    }
}

/// Pixels to the moments of latents, level by level downwards.
struct Encoder {
    struct Level {
        let blocks: [ResidualBlock]
        let downsampler: Convolution?
    }
    let input: Convolution
    let levels: [Level]
    let middle: MiddleBlock
    let outputNorm: GroupNorm
    let output: Convolution

    init(_ scope: ParameterScope, _ configuration: AutoencoderConfiguration) throws {
        let channels = configuration.levelChannels
        input = try Convolution(
            scope.scope("conv_in"), inputs: configuration.imageChannels, outputs: channels[0],
            geometry: .same3)
        levels = try channels.indices.map { index in
            let level = scope.scope("down_blocks", index)
            let blocks = try (0..<configuration.layersPerLevel).map { layer in
                try ResidualBlock(
                    level.scope("resnets", layer),
                    inputs: layer == 0 ? channels[max(index - 1, 0)] : channels[index],
                    outputs: channels[index], groupCount: configuration.groupCount, epsilon: 1e-6)
            }
            let downsampler =
                index + 1 < channels.count
                ? try Convolution(
                    level.scope("downsamplers.0.conv"), inputs: channels[index],
                    outputs: channels[index], geometry: .halving3)
                : nil
            return Level(blocks: blocks, downsampler: downsampler)
        }
        middle = try MiddleBlock(
            scope.scope("mid_block"), channels: channels.last!, configuration)
        outputNorm = try GroupNorm(
            scope.scope("conv_norm_out"), channels: channels.last!,
            groupCount: configuration.groupCount, epsilon: 1e-6)
        output = try Convolution(
            scope.scope("conv_out"), inputs: channels.last!,
            outputs: 2 * configuration.latentChannels, geometry: .same3)
    }

    func callAsFunction(
        _ image: Tensor, _ operations: some TensorOperations, _ onBlock: BlockObserver?
    ) throws -> Tensor {
        var x = input(image, operations)
        try onBlock?("vae.encoder.conv_in", x)
        for (index, level) in levels.enumerated() {
            for block in level.blocks { x = block(x, operations) }
            if let downsampler = level.downsampler { x = downsampler(x, operations) }
            try onBlock?("vae.encoder.down_blocks.\(index)", x)
        }
        x = try middle(x, operations, onBlock, "vae.encoder.mid_block")
        return output(outputNorm(x, silu: true, operations), operations)
    }
}
