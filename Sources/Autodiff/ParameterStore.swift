// The trainable copy of a model's weights.
import TensorCore

/// Named float32 parameters, in the order of their names.
///
/// Layers built from `tensor(_:_:)` see every update: the optimiser writes in place.
public final class ParameterStore {
    public private(set) var names: [String] = []
    private var tensors: [String: Tensor] = [:]
    private let initialize: (_ name: String, _ shape: [Int]) throws -> Tensor

    /// - Parameter initialize: makes a parameter when a layer first asks for it
    public init(initialize: @escaping (_ name: String, _ shape: [Int]) throws -> Tensor) {
        self.initialize = initialize
    }

    /// The parameter of that name: what layers load their weights with.
    public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        if let known = tensors[name] {
            precondition(known.shape == shape, "\(name) is asked for in two shapes")
            return known
        }
        let made = try initialize(name, shape)
        precondition(made.shape == shape && made.elementType == .float32)
        tensors[name] = made
        let place = names.firstIndex { $0 > name } ?? names.count
        names.insert(name, at: place)
        return made
    }

    public subscript(_ name: String) -> Tensor { tensors[name]! }
    public var all: [Tensor] { names.map { tensors[$0]! } }
    /// All of them by name.
    public var byName: [String: Tensor] { tensors }

    /// A copy with tensors of its own.
    public func copy() -> ParameterStore {
        let other = ParameterStore(initialize: initialize)
        other.names = names
        for (name, tensor) in tensors { other.tensors[name] = tensor.copy() }
        return other
    }
}

extension Tensor {
    /// A float32 tensor with storage of its own and the same elements.
    public func copy() -> Tensor {
        let output = Tensor(uninitialized: shape)
        copyFloats(to: output.floats)
        return output
    }
}
