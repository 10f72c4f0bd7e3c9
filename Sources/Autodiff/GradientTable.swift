// Gradients under way, by the storage of the tensors that they belong to.
import TensorCore

/// Gradients of tensors. Views of one storage share one gradient storage, so that reshaping and
/// taking rows need no rule of their own.
public final class GradientTable {
    private var storages: [ObjectIdentifier: TensorStorage] = [:]
    /// The storages whose gradients are wanted.
    private var tracked: Set<ObjectIdentifier>

    /// - Parameter parameters: tensors whose gradients are wanted at the end
    public init(parameters: [Tensor]) {
        tracked = Set(parameters.map { ObjectIdentifier($0.storage) })
    }

    func track(_ tensor: Tensor) { tracked.insert(ObjectIdentifier(tensor.storage)) }
    func forget(_ tensor: Tensor) { tracked.remove(ObjectIdentifier(tensor.storage)) }

    /// Whether a gradient of the tensor is wanted.
    public func isTracked(_ tensor: Tensor) -> Bool {
        tracked.contains(ObjectIdentifier(tensor.storage))
    }

    /// Where a rule puts a gradient; nil when none is wanted.
    public func target(_ tensor: Tensor) -> GradientTarget? {
        let key = ObjectIdentifier(tensor.storage)
        guard tracked.contains(key) else { return nil }
        if let storage = storages[key] { return GradientTarget(view(tensor, storage), adds: true) }
        let storage = TensorStorage(byteCount: tensor.storage.byteCount)
        storages[key] = storage
        if tensor.byteCount == storage.byteCount {
            return GradientTarget(view(tensor, storage), adds: false)
        }
        storage.baseAddress.initializeMemory(as: UInt8.self, repeating: 0, count: storage.byteCount)
        return GradientTarget(view(tensor, storage), adds: true)
    }

    /// The same, or a place to throw away what is not wanted, for rules that compute it anyway.
    func targetOrScratch(_ tensor: Tensor) -> GradientTarget {
        target(tensor) ?? GradientTarget(Tensor(uninitialized: tensor.shape), adds: false)
    }

    /// Hands a gradient on: `gradient`, which the caller no longer needs, becomes that of `tensor`
    /// or is added to it.
    func pass(_ gradient: Tensor, to tensor: Tensor, _ operations: EagerOperations) {
        let key = ObjectIdentifier(tensor.storage)
        guard tracked.contains(key) else { return }
        let isWhole =
            gradient.byteCount == gradient.storage.byteCount
            && tensor.byteCount == tensor.storage.byteCount
        if storages[key] == nil, isWhole {
            storages[key] = gradient.storage
        } else if let target = target(tensor) {
            operations.scaledGradient(gradient, x: target)
        }
    }

    /// The gradient of a tensor, so far; nil if nothing has reached it.
    public subscript(_ tensor: Tensor) -> Tensor? {
        storages[ObjectIdentifier(tensor.storage)].map { view(tensor, $0) }
    }

    /// Removes and returns the gradient of an operation's result.
    func take(_ tensor: Tensor) -> Tensor? {
        storages.removeValue(forKey: ObjectIdentifier(tensor.storage)).map { view(tensor, $0) }
    }

    private func view(_ tensor: Tensor, _ storage: TensorStorage) -> Tensor {
        Tensor(
            shape: tensor.shape, elementType: .float32, storage: storage,
            byteOffset: tensor.byteOffset)
    }
}
