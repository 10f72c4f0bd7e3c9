// Threads for training: pieces of a batch run side by side, each on a thread of its own.
import TensorCore

/// A pool whose threads each have single-threaded operations, and operations on all threads.
///
/// Pieces of a batch are independent until their gradients are summed, so threads meet once a step
/// and not at every operation. What a piece computes does not depend on the thread that runs it.
public final class ComputeTeam {
    /// Operations on all threads, for use between calls of `run`.
    public let whole: EagerOperations
    private let members: [EagerOperations]

    /// - Parameter threadCount: at least 1
    public init(threadCount: Int, products: ProductKernels = .automatic) {
        whole = EagerOperations(
            pool: ThreadPool(threadCount: threadCount), products: products)
        members = (0..<threadCount).map { _ in
            EagerOperations(pool: ThreadPool(threadCount: 1), products: products)
        }
    }

    public var threadCount: Int { members.count }

    /// Calls `body` for each index, on all threads. Calls run at the same time: each may write only
    /// what no other reads or writes.
    public func run(_ count: Int, _ body: (_ index: Int, _ operations: EagerOperations) -> Void) {
        whole.pool.run(count) { index, slot in body(index, members[slot]) }
    }

    /// The results of `body` for each index, in order; the first error, if there is one.
    public func map<Value>(
        _ count: Int, _ body: (_ index: Int, _ operations: EagerOperations) throws -> Value
    ) throws -> [Value] {
        var results = [Result<Value, any Error>?](repeating: nil, count: count)
        results.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            run(count) { index, operations in
                base[index] = Result { try body(index, operations) }
            }
        }
        return try results.map { try $0!.get() }
    }
}
