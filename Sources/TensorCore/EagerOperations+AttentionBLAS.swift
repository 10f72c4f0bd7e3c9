// Attention with OpenBLAS: a block of queries against all keys, scores row by row.
import CKernels
import COpenBLAS

extension EagerOperations {
    func runWithBLAS(_ sequence: AttentionSequence) {
        let count = sequence.rows.count
        // Queries a task: enough for the products to be efficient, few enough for the scores of a
        // block against all keys to stay in cache.
        let block = min(128, max(16, (count / 4 + 15) / 16 * 16))
        let blocks = (count + block - 1) / block
        // Scores, output rows, and the sums of each row.
        pool.reserveScratch(block * (count + sequence.layout.headDimension + 2))
        pool.run(sequence.layout.headCount * blocks) { index, slot in
            let (head, start) = (index / blocks, index % blocks * block)
            let range = start..<min(start + block, count)
            attend(sequence, head: head, queries: range, scratch: pool.scratch(slot))
        }
    }

    /// Queries `queries` of one head against all keys they may see.
    private func attend(
        _ sequence: AttentionSequence, head: Int, queries: Range<Int>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let layout = sequence.layout
        let d = layout.headDimension
        // A causal block needs no key after its last query.
        let keys = layout.isCausal ? queries.upperBound : sequence.rows.count
        let count = queries.count
        let scores = scratch
        let sums = scores + count * keys
        let factors = sums + count
        let weighted = factors + count
        // [queries, keys]
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(count), blasint(keys), blasint(d), 1,
            sequence.queryStart(head, row: queries.lowerBound), blasint(sequence.queryWidth),
            sequence.keyStart(head), blasint(sequence.keyWidth), 0, scores, blasint(keys))
        let lengths = layout.isCausal ? queries.map { Int32($0 + 1) } : []
        lengths.withUnsafeBufferPointer {
            ck_softmax_numerators(
                scores, Int64(count), Int64(keys), Int64(keys), sequence.scale,
                layout.isCausal ? $0.baseAddress : nil, sums,
                sequence.entropyStart(head, row: queries.lowerBound))
        }
        // [queries, d]
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(count), blasint(d), blasint(keys),
            1, scores, blasint(keys), sequence.valueStart(head), blasint(sequence.keyWidth), 0,
            weighted, blasint(d))
        for row in 0..<count { factors[row] = 1 / sums[row] }
        ck_scale_rows(
            weighted, Int64(d), factors, sequence.outputStart(head, row: queries.lowerBound),
            Int64(sequence.queryWidth), Int64(count), Int64(d))
    }
}
