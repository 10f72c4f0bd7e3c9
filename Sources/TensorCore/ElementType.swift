// The number formats that tensors are stored in.

/// The format of a tensor's elements. Computation is always in float32; the other formats are for
/// weights that stay as they are on disk.
public enum ElementType: String, Sendable, CaseIterable {
    case float32
    case float16
    case bfloat16

    /// Size of one element in bytes.
    public var byteCount: Int {
        switch self {
        case .float32: 4
        case .float16, .bfloat16: 2
        }
    }
}
