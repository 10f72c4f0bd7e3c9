// Between element types.
import CKernels
import Glibc

extension Tensor {
    /// Writes the elements as float32 to `target`, which has room for `count` floats.
    public func copyFloats(to target: UnsafeMutablePointer<Float>) {
        convertToFloats(bytes, elementType, target, count)
    }

    /// This tensor as float32: itself when it is already, else a converted copy.
    public func asFloat32() -> Tensor {
        if elementType == .float32 { return self }
        let output = Tensor(uninitialized: shape)
        copyFloats(to: output.floats)
        return output
    }

    /// A copy rounded to `type` (to nearest, ties to even).
    public func converted(to type: ElementType) -> Tensor {
        let source = asFloat32()
        let storage = TensorStorage(byteCount: count * type.byteCount)
        let output = Tensor(shape: shape, elementType: type, storage: storage)
        withExtendedLifetime(source) {
            let (from, to) = (source.floats, output.bytes)
            switch type {
            case .float32: memcpy(to, from, count * 4)
            case .float16:
                ck_f32_to_f16(from, to.assumingMemoryBound(to: UInt16.self), Int64(count))
            case .bfloat16:
                ck_f32_to_bf16(from, to.assumingMemoryBound(to: UInt16.self), Int64(count))
            }
        }
        return output
    }
}

/// Converts `count` elements of `type` at `source` to float32.
func convertToFloats(
    _ source: UnsafeRawPointer, _ type: ElementType, _ target: UnsafeMutablePointer<Float>,
    _ count: Int
) {
    switch type {
    case .float32: memcpy(target, source, count * 4)
    case .float16:
        ck_f16_to_f32(source.assumingMemoryBound(to: UInt16.self), target, Int64(count))
    case .bfloat16:
        ck_bf16_to_f32(source.assumingMemoryBound(to: UInt16.self), target, Int64(count))
    }
}

/// tanh in float32.
func hyperbolicTangent(_ x: Float) -> Float { tanhf(x) }

/// The sum of the squares of a float32 tensor's elements, in double precision and a fixed order.
public func sumOfSquares(_ x: Tensor) -> Double {
    withExtendedLifetime(x.storage) { ck_sum_of_squares(x.floats, Int64(x.count)) }
}
