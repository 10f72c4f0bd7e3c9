// The pool of compute threads, and the scratch memory that goes with each.
import CKernels
import COpenBLAS

/// Runs data-parallel loops on a fixed number of threads.
///
/// A pool belongs to one thread of control: it is not `Sendable`, and loops do not nest. OpenBLAS
/// is kept to one thread, because the loops here split every product themselves, by its shape and
/// never by the number of threads: that is what makes results independent of it.
public final class ThreadPool {
    public let threadCount: Int
    private let pool: OpaquePointer
    private var scratch: [TensorStorage]

    /// - Parameter threadCount: at least 1; the calling thread is one of them.
    public init(threadCount: Int) {
        precondition(threadCount >= 1)
        openblas_set_num_threads(1)
        guard let pool = ck_pool_create(Int32(threadCount)) else {
            preconditionFailure("the system refused to start \(threadCount) threads")
        }
        self.pool = pool
        self.threadCount = threadCount
        scratch = (0..<threadCount).map { _ in TensorStorage(byteCount: 0) }
    }

    deinit { ck_pool_destroy(pool) }

    /// Calls `body(index, slot)` once for each index in `0..<count`, on all threads, and returns
    /// when all are done. `slot` names the thread.
    ///
    /// Calls run at the same time: each may write only what no other reads or writes, and its
    /// result must not depend on `slot`. The compiler cannot check this; that is why it stands
    /// here, once.
    public func run(_ count: Int, _ body: (_ index: Int, _ slot: Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafeMutablePointer(to: &body) { context in
                ck_pool_run(
                    pool, Int64(count),
                    { context, index, slot in
                        let body = context!.assumingMemoryBound(to: ((Int, Int) -> Void).self)
                        body.pointee(Int(index), Int(slot))
                    }, context)
            }
        }
    }

    /// Splits `0..<count` into ranges of at most `grain` and runs them.
    public func run(_ count: Int, grain: Int, _ body: (_ range: Range<Int>) -> Void) {
        let grain = max(grain, 1)
        run((count + grain - 1) / grain) { index, _ in
            body(index * grain..<min((index + 1) * grain, count))
        }
    }

    /// Makes room for `floatCount` floats of scratch memory a thread; call it before the loop that
    /// uses `scratch(_:)`.
    public func reserveScratch(_ floatCount: Int) {
        for slot in 0..<threadCount where scratch[slot].byteCount < floatCount * 4 {
            scratch[slot] = TensorStorage(byteCount: floatCount * 4)
        }
    }

    /// The scratch memory of one thread, of the size last reserved or more.
    public func scratch(_ slot: Int) -> UnsafeMutablePointer<Float> {
        scratch[slot].baseAddress.assumingMemoryBound(to: Float.self)
    }
}
