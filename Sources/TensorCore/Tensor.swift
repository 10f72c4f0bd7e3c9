// Tensors: a shape, an element type and a place in a storage. Always contiguous and row-major.

/// A contiguous row-major array of any rank.
///
/// A tensor is a value that refers to shared storage. Views (`reshaped`, `rows`) share the storage;
/// operations return tensors with storage of their own.
public struct Tensor {
    public let shape: [Int]
    public let elementType: ElementType
    public let storage: TensorStorage
    /// Where the first element lies in the storage.
    public let byteOffset: Int

    /// A tensor over part of an existing storage.
    public init(
        shape: [Int], elementType: ElementType, storage: TensorStorage, byteOffset: Int = 0
    ) {
        let count = shape.reduce(1, *)
        precondition(shape.allSatisfy { $0 >= 0 } && byteOffset >= 0)
        precondition(byteOffset + count * elementType.byteCount <= storage.byteCount)
        self.shape = shape
        self.elementType = elementType
        self.storage = storage
        self.byteOffset = byteOffset
    }

    /// A float32 tensor with uninitialised elements.
    public init(uninitialized shape: [Int]) {
        let storage = TensorStorage(byteCount: shape.reduce(1, *) * 4)
        self.init(shape: shape, elementType: .float32, storage: storage)
    }

    /// A float32 tensor of zeros.
    public init(zeros shape: [Int]) {
        self.init(uninitialized: shape)
        floats.update(repeating: 0, count: count)
    }

    /// A float32 tensor with the given elements in row-major order.
    public init(_ elements: [Float], shape: [Int]) {
        precondition(elements.count == shape.reduce(1, *))
        self.init(uninitialized: shape)
        elements.withUnsafeBufferPointer {
            if let base = $0.baseAddress { floats.update(from: base, count: $0.count) }
        }
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    public var byteCount: Int { count * elementType.byteCount }
    public var rank: Int { shape.count }

    /// The first element's address, whatever the type. Valid while this tensor's storage is alive.
    public var bytes: UnsafeMutableRawPointer { storage.baseAddress + byteOffset }

    /// The elements of a float32 tensor. Valid while this tensor's storage is alive: a caller that
    /// made the tensor itself keeps it so with `withExtendedLifetime`.
    public var floats: UnsafeMutablePointer<Float> {
        precondition(elementType == .float32, "a float32 tensor is needed, not \(elementType)")
        return bytes.assumingMemoryBound(to: Float.self)
    }

    /// A copy of the elements of a float32 tensor.
    public var elements: [Float] {
        withExtendedLifetime(storage) {
            Array(UnsafeBufferPointer(start: floats, count: count))
        }
    }

    /// The same elements under another shape of the same count.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count)
        return Tensor(
            shape: shape, elementType: elementType, storage: storage, byteOffset: byteOffset)
    }

    /// The view of `range` along the first axis.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0])
        let stride = shape.dropFirst().reduce(1, *) * elementType.byteCount
        return Tensor(
            shape: [range.count] + shape.dropFirst(), elementType: elementType, storage: storage,
            byteOffset: byteOffset + range.lowerBound * stride)
    }
}
