// Attention, computed block by block: nothing of size tokens x tokens exists.
import CKernels
import COpenBLAS

extension EagerOperations {
    public func headNormRotary(
        _ x: Tensor, headDimension: Int, weight: Tensor?, epsilon: Float, rotary: RotaryTable?
    ) -> Tensor {
        let (rows, width) = (x.shape[0], x.shape[1])
        precondition(width % headDimension == 0)
        let half = headDimension / 2
        precondition(rotary == nil || rotary!.cosines.shape == [rows, half])
        let output = Tensor(uninitialized: x.shape)
        let weight = weight?.asFloat32()
        let (source, target) = (x.floats, output.floats)
        pool.run(rows, grain: 16) { range in
            for row in range {
                ck_head_norm_rotary(
                    source + row * width, weight?.floats, epsilon,
                    rotary.map { UnsafePointer($0.cosines.floats + row * half) },
                    rotary.map { UnsafePointer($0.sines.floats + row * half) },
                    rotary?.isInterleaved == true ? 1 : 0, target + row * width,
                    Int64(width / headDimension), Int64(headDimension))
            }
        }
        withExtendedLifetime(weight) {}
        return output
    }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, layout: AttentionLayout, measuringEntropy: Bool
    ) -> (output: Tensor, entropies: [Float]?) {
        let rows = query.shape[0]
        precondition(layout.segments.rowCount == rows)
        precondition(query.shape[1] == layout.headCount * layout.headDimension)
        precondition(key.shape == [rows, layout.keyValueHeadCount * layout.headDimension])
        precondition(key.shape == value.shape)
        let output = Tensor(uninitialized: query.shape)
        // Row entropies are kept by head and added up in order, whichever thread found them.
        let rowEntropies =
            measuringEntropy ? Tensor(uninitialized: [layout.headCount, rows]) : nil
        for range in layout.segments.ranges where !range.isEmpty {
            let sequence = AttentionSequence(
                query: query, key: key, value: value, output: output, rows: range, layout: layout,
                entropies: rowEntropies)
            run(sequence)
        }
        let entropies = rowEntropies.map { table in
            (0..<layout.headCount).map { head -> Float in
                let row = table.rows(head..<head + 1).elements
                return Float(row.reduce(0.0) { $0 + Double($1) } / Double(max(rows, 1)))
            }
        }
        return (output, entropies)
    }

    /// One sequence of an attention call.
    private struct AttentionSequence {
        let query: Tensor
        let key: Tensor
        let value: Tensor
        let output: Tensor
        let rows: Range<Int>
        let layout: AttentionLayout
        let entropies: Tensor?

        /// Queries a task: enough for the products to be efficient, few enough for the scores of a
        /// block against all keys to stay in cache.
        var queryBlock: Int { min(128, max(16, (rows.count / 4 + 15) / 16 * 16)) }
    }

    private func run(_ sequence: AttentionSequence) {
        let block = sequence.queryBlock
        let blocks = (sequence.rows.count + block - 1) / block
        // Scores, output rows, and the sums of each row.
        pool.reserveScratch(block * (sequence.rows.count + sequence.layout.headDimension + 2))
        pool.run(sequence.layout.headCount * blocks) { index, slot in
            let (head, start) = (index / blocks, index % blocks * block)
            let range = start..<min(start + block, sequence.rows.count)
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
        let (queryWidth, keyWidth) = (layout.headCount * d, layout.keyValueHeadCount * d)
        let keyHead = head / (layout.headCount / layout.keyValueHeadCount)
        let first = sequence.rows.lowerBound
        // A causal block needs no key after its last query.
        let keys = layout.isCausal ? queries.upperBound : sequence.rows.count
        let count = queries.count
        let scores = scratch
        let sums = scores + count * keys
        let factors = sums + count
        let weighted = factors + count
        let q = sequence.query.floats + (first + queries.lowerBound) * queryWidth + head * d
        let k = sequence.key.floats + first * keyWidth + keyHead * d
        let v = sequence.value.floats + first * keyWidth + keyHead * d
        // [queries, keys]
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(count), blasint(keys), blasint(d), 1,
            q, blasint(queryWidth), k, blasint(keyWidth), 0, scores, blasint(keys))
        let lengths = layout.isCausal ? queries.map { Int32($0 + 1) } : nil
        let entropies = sequence.entropies.map {
            $0.floats + head * $0.shape[1] + first + queries.lowerBound
        }
        let scale = 1 / Float(d).squareRoot()
        if let lengths {
            lengths.withUnsafeBufferPointer {
                ck_softmax_numerators(
                    scores, Int64(count), Int64(keys), Int64(keys), scale, $0.baseAddress, sums,
                    entropies)
            }
        } else {
            ck_softmax_numerators(
                scores, Int64(count), Int64(keys), Int64(keys), scale, nil, sums, entropies)
        }
        // [queries, d]
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(count), blasint(d), blasint(keys),
            1, scores, blasint(keys), v, blasint(keyWidth), 0, weighted, blasint(d))
        for row in 0..<count { factors[row] = 1 / sums[row] }
        let target =
            sequence.output.floats + (first + queries.lowerBound) * queryWidth + head * d
        ck_scale_rows(
            weighted, Int64(d), factors, target, Int64(queryWidth), Int64(count), Int64(d))
    }
}
