// The feed-forward half of a transformer block.
import TensorCore

/// down(silu(gate(x)) · up(x)), the SwiGLU feed-forward of Shazeer 2020.
public struct GatedFeedForward {
    public let gate: Linear
    public let up: Linear
    public let down: Linear

    public init(gate: Linear, up: Linear, down: Linear) {
        self.gate = gate
        self.up = up
        self.down = down
    }

    public func callAsFunction(_ x: Tensor, _ operations: some TensorOperations) -> Tensor {
        down(operations.siluProduct(gate(x, operations), up(x, operations)), operations)
    }
}
