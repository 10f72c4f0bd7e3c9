// How layers get their weights: by name and expected shape, from whatever holds them.
import TensorCore

/// A place in a tree of named parameters, such as `layers.3.attention`.
///
/// Inference backs it with mapped files, training with its own copies; the layers do not know.
public struct ParameterScope {
    public let prefix: String
    private let load: (_ name: String, _ shape: [Int]) throws -> Tensor

    /// - Parameter load: gives the tensor of a full name, or throws when there is none of that
    ///   shape.
    public init(prefix: String = "", load: @escaping (String, [Int]) throws -> Tensor) {
        self.prefix = prefix
        self.load = load
    }

    /// The scope `name` within this one.
    public func scope(_ name: String) -> ParameterScope {
        ParameterScope(prefix: prefix + name + ".", load: load)
    }

    public func scope(_ name: String, _ index: Int) -> ParameterScope {
        scope("\(name).\(index)")
    }

    /// The parameter `name` of this scope.
    public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        try load(prefix + name, shape)
    }
}
