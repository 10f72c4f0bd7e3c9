// The convolutional layers of the image autoencoder. Images are [channels, height, width].
import TensorCore

/// A square convolution, as `torch.nn.Conv2d`.
public struct Convolution {
    /// [outputs, inputs, kernel, kernel]
    public let weight: Tensor
    public let bias: Tensor
    public let geometry: ConvolutionGeometry

    public init(
        _ scope: ParameterScope, inputs: Int, outputs: Int, geometry: ConvolutionGeometry
    ) throws {
        weight = try scope.tensor(
            "weight", [outputs, inputs, geometry.kernel, geometry.kernel])
        bias = try scope.tensor("bias", [outputs])
        self.geometry = geometry
    }

    public func callAsFunction(_ x: Tensor, _ operations: some TensorOperations) -> Tensor {
        operations.convolution(x, weight: weight, bias: bias, geometry: geometry)
    }

    /// The convolution of x doubled by nearest neighbours; for 3 × 3 kernels that keep the size.
    public func upsampling(_ x: Tensor, _ operations: some TensorOperations) -> Tensor {
        precondition(geometry == .same3)
        return operations.upsampledConvolution(x, weight: weight, bias: bias)
    }
}

/// Group norm with affine weights, as `torch.nn.GroupNorm`.
public struct GroupNorm {
    public let weight: Tensor
    public let bias: Tensor
    public let groupCount: Int
    public let epsilon: Float

    public init(
        _ scope: ParameterScope, channels: Int, groupCount: Int, epsilon: Float
    ) throws {
        weight = try scope.tensor("weight", [channels])
        bias = try scope.tensor("bias", [channels])
        self.groupCount = groupCount
        self.epsilon = epsilon
    }

    public func callAsFunction(
        _ x: Tensor, silu: Bool, _ operations: some TensorOperations
    ) -> Tensor {
        operations.groupNorm(
            x, groupCount: groupCount, weight: weight, bias: bias, epsilon: epsilon, silu: silu)
    }
}

/// Two normalised 3 × 3 convolutions around a shortcut, as diffusers' `ResnetBlock2D` without a
/// time embedding.
public struct ResidualBlock {
    public let norm1: GroupNorm
    public let convolution1: Convolution
    public let norm2: GroupNorm
    public let convolution2: Convolution
    public let shortcut: Convolution?

    public init(
        _ scope: ParameterScope, inputs: Int, outputs: Int, groupCount: Int, epsilon: Float
    ) throws {
        norm1 = try GroupNorm(
            scope.scope("norm1"), channels: inputs, groupCount: groupCount, epsilon: epsilon)
        convolution1 = try Convolution(
            scope.scope("conv1"), inputs: inputs, outputs: outputs, geometry: .same3)
        norm2 = try GroupNorm(
            scope.scope("norm2"), channels: outputs, groupCount: groupCount, epsilon: epsilon)
        convolution2 = try Convolution(
            scope.scope("conv2"), inputs: outputs, outputs: outputs, geometry: .same3)
        shortcut =
            inputs == outputs
            ? nil
            : try Convolution(
                scope.scope("conv_shortcut"), inputs: inputs, outputs: outputs,
                geometry: .pointwise)
    }

    public func callAsFunction(_ x: Tensor, _ operations: some TensorOperations) -> Tensor {
        var hidden = convolution1(norm1(x, silu: true, operations), operations)
        hidden = norm2(hidden, silu: true, operations)
        hidden = convolution2(hidden, operations)
        return operations.add(shortcut?(x, operations) ?? x, hidden)
    }
}

/// Single-head attention over the pixels of an image with a residual, as diffusers' `Attention`
/// in the middle of `AutoencoderKL`.
public struct ImageAttention {
    public let norm: GroupNorm
    public let query: Linear
    public let key: Linear
    public let value: Linear
    public let output: Linear

    public init(
        _ scope: ParameterScope, channels: Int, groupCount: Int, epsilon: Float
    ) throws {
        norm = try GroupNorm(
            scope.scope("group_norm"), channels: channels, groupCount: groupCount,
            epsilon: epsilon)
        func linear(_ name: String) throws -> Linear {
            try Linear(scope.scope(name), inputs: channels, outputs: channels, hasBias: true)
        }
        query = try linear("to_q")
        key = try linear("to_k")
        value = try linear("to_v")
        output = try linear("to_out.0")
    }

    public func callAsFunction(_ x: Tensor, _ operations: some TensorOperations) -> Tensor {
        let (channels, pixels) = (x.shape[0], x.shape[1] * x.shape[2])
        let normalized = norm(x, silu: false, operations).reshaped([channels, pixels])
        let tokens = operations.transposed(normalized)  // [pixels, channels]
        let layout = AttentionLayout(
            headCount: 1, keyValueHeadCount: 1, headDimension: channels, isCausal: false,
            segments: Segments([pixels]))
        let attended = operations.attention(
            query: query(tokens, operations), key: key(tokens, operations),
            value: value(tokens, operations), layout: layout, measuringEntropy: false
        ).output
        let update = operations.transposed(output(attended, operations))  // [channels, pixels]
        return operations.add(x, update.reshaped(x.shape))
    }
}
