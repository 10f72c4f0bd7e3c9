// Where backward operations put their results.

/// A tensor that receives a gradient: what it held before counts, or is replaced.
public struct GradientTarget {
    public let tensor: Tensor
    /// Whether the gradient is added to what the tensor holds.
    public let adds: Bool

    public init(_ tensor: Tensor, adds: Bool) {
        self.tensor = tensor
        self.adds = adds
    }

    var floats: UnsafeMutablePointer<Float> { tensor.floats }
    var flag: Int32 { adds ? 1 : 0 }

    /// The tensor, made ready to be added to: kernels that sum over rows only ever add.
    func startingAtZero() -> Tensor {
        if !adds { tensor.floats.update(repeating: 0, count: tensor.count) }
        return tensor
    }
}
