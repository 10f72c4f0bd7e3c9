// The thread pool.
import Glibc
import Synchronization
import TensorCore
import Testing

@Suite struct ThreadPoolTests {
    @Test(arguments: [1, 2, 5]) func everyIndexRunsOnce(_ threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        for count in [0, 1, 2, 3, 100, 1001] {
            var hits = [Int](repeating: 0, count: count)
            hits.withUnsafeMutableBufferPointer { hits in
                let base = hits.baseAddress
                pool.run(count) { index, slot in
                    precondition(slot >= 0 && slot < threads)
                    base![index] += 1
                }
            }
            #expect(hits.allSatisfy { $0 == 1 })
        }
    }

    /// Many short loops in a row, with pauses that put the threads to sleep.
    @Test func loopsFollowEachOther() {
        let pool = ThreadPool(threadCount: 3)
        let total = Atomic<Int>(0)
        for round in 0..<20_000 {
            pool.run(4) { index, _ in total.add(index, ordering: .relaxed) }
            if round % 5000 == 0 { usleep(2000) }
        }
        #expect(total.load(ordering: .relaxed) == 20_000 * 6)
    }

    @Test func rangesCoverTheCount() {
        let pool = ThreadPool(threadCount: 2)
        let total = Atomic<Int>(0)
        pool.run(1000, grain: 7) { range in
            total.add(range.reduce(0, +), ordering: .relaxed)
        }
        #expect(total.load(ordering: .relaxed) == 999 * 1000 / 2)
    }
}
