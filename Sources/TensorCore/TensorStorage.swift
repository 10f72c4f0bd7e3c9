// Memory behind tensors: owned, or borrowed from something that outlives it (a mapped file).
import Glibc

/// A block of bytes that one or more tensors look into.
///
/// Storage is shared by reference: views of one storage alias. Whoever creates a storage writes it;
/// operations never write to their inputs.
public final class TensorStorage {
    public let baseAddress: UnsafeMutableRawPointer
    public let byteCount: Int
    private let owner: AnyObject?

    /// Allocates uninitialised memory, aligned to 64 bytes.
    public init(byteCount: Int) {
        precondition(byteCount >= 0)
        var address: UnsafeMutableRawPointer?
        let status = posix_memalign(&address, 64, max(byteCount, 64))
        precondition(status == 0 && address != nil, "out of memory: \(byteCount) bytes")
        baseAddress = address!
        self.byteCount = byteCount
        owner = nil
    }

    /// Borrows memory that `owner` keeps valid; such storage is only read.
    public init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        baseAddress = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
        byteCount = bytes.count
        self.owner = owner
    }

    deinit {
        if owner == nil { free(baseAddress) }
    }
}
