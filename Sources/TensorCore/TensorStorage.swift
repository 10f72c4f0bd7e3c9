// Memory behind tensors: owned, or borrowed from something that outlives it (a mapped file).
import CKernels
import Glibc
import Synchronization

/// A block of bytes that one or more tensors look into.
///
/// Storage is shared by reference: views of one storage alias. Whoever creates a storage writes it;
/// operations never write to their inputs.
public final class TensorStorage {
    public let baseAddress: UnsafeMutableRawPointer
    public let byteCount: Int
    private let owner: AnyObject?

    private static let allocated = Atomic<Int>(0)
    private static let allocatedPeak = Atomic<Int>(0)

    /// Bytes of all storages that own their memory: what the engine uses beside mapped weights.
    public static var allocatedByteCount: Int { allocated.load(ordering: .relaxed) }
    /// The most there were at any time since the last `resetPeak`.
    public static var peakByteCount: Int { allocatedPeak.load(ordering: .relaxed) }

    /// Starts a new measurement of the peak.
    public static func resetPeak() {
        allocatedPeak.store(allocatedByteCount, ordering: .relaxed)
    }

    /// Lets the process keep freed memory for later allocations: for training, whose steps allocate
    /// and free the same large blocks over and over. Fresh pages from the system are slow.
    public static func keepFreedMemory() { ck_keep_freed_memory() }

    /// Allocates uninitialised memory, aligned to 64 bytes.
    public init(byteCount: Int) {
        precondition(byteCount >= 0)
        var address: UnsafeMutableRawPointer?
        let status = posix_memalign(&address, 64, max(byteCount, 64))
        precondition(status == 0 && address != nil, "out of memory: \(byteCount) bytes")
        baseAddress = address!
        self.byteCount = byteCount
        owner = nil
        let total = Self.allocated.add(byteCount, ordering: .relaxed).newValue
        _ = Self.allocatedPeak.max(total, ordering: .relaxed)
    }

    /// Borrows memory that `owner` keeps valid; such storage is only read.
    public init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        baseAddress = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
        byteCount = bytes.count
        self.owner = owner
    }

    deinit {
        guard owner == nil else { return }
        free(baseAddress)
        Self.allocated.subtract(byteCount, ordering: .relaxed)
    }
}
