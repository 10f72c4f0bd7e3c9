// The affine map.
import TensorCore

/// y = x · weightᵀ + bias, as `torch.nn.Linear`.
public struct Linear {
    /// [outputs, inputs]
    public let weight: Tensor
    /// [outputs]
    public let bias: Tensor?

    public init(_ scope: ParameterScope, inputs: Int, outputs: Int, hasBias: Bool) throws {
        weight = try scope.tensor("weight", [outputs, inputs])
        bias = hasBias ? try scope.tensor("bias", [outputs]) : nil
    }

    public func callAsFunction(_ x: Tensor, _ operations: some TensorOperations) -> Tensor {
        operations.linear(x, weight: weight, bias: bias)
    }

    /// Only the kept blocks of outputs, packed.
    public func callAsFunction(
        _ x: Tensor, keptOutputs: BlockSelection?, _ operations: some TensorOperations
    ) -> Tensor {
        operations.linear(
            x, weight: weight, bias: bias, keptOutputs: keptOutputs, keptInputs: nil)
    }
}

/// x / √(mean(x²) + ε) · weight, by row.
public struct RMSNorm {
    /// [width]
    public let weight: Tensor
    public let epsilon: Float

    public init(_ scope: ParameterScope, width: Int, epsilon: Float) throws {
        weight = try scope.tensor("weight", [width])
        self.epsilon = epsilon
    }

    /// - Parameter scale: [sequences, width], multiplied onto the result's rows.
    public func callAsFunction(
        _ x: Tensor, scale: Tensor? = nil, segments: Segments, _ operations: some TensorOperations
    ) -> Tensor {
        operations.rmsNorm(
            x, weight: weight, epsilon: epsilon, scale: scale, segments: segments)
    }
}
