// Backward of attention. The weights are computed again from queries and keys: training sequences
// are short, so one head's weights, [queries, keys], fit the cache.
import CKernels

extension EagerOperations {
    /// Of `attention`: with P = softmax(q kᵀ / √d), dv = Pᵀ dy, dP = dy vᵀ,
    /// dS = P ∘ (dP − rowsum(P ∘ dP)) / √d, dq = dS k, dk = dSᵀ q.
    ///
    /// - Parameter gradient: dy, [rows, heads · d]
    public func attentionGradient(
        query: Tensor, key: Tensor, value: Tensor, layout: AttentionLayout, gradient: Tensor,
        query dquery: GradientTarget, key dkey: GradientTarget, value dvalue: GradientTarget
    ) {
        // Several query heads may add to one key head.
        let targets = AttentionGradients(
            query: dquery.startingAtZero(), key: dkey.startingAtZero(),
            value: dvalue.startingAtZero())
        let longest = layout.segments.lengths.max() ?? 0
        let weights = Tensor(uninitialized: [longest, longest])
        let changes = Tensor(uninitialized: [longest, longest])
        for range in layout.segments.ranges where !range.isEmpty {
            let sequence = AttentionSequence(
                query: query, key: key, value: value, output: gradient, rows: range,
                layout: layout, entropies: nil)
            for head in 0..<layout.headCount {
                attentionGradient(sequence, head, weights, changes, targets)
            }
        }
        withExtendedLifetime((query, key, value, gradient)) {}
    }

    private struct AttentionGradients {
        let query: Tensor
        let key: Tensor
        let value: Tensor
    }

    /// One head of one sequence; the sequence's `output` is the gradient.
    private func attentionGradient(
        _ sequence: AttentionSequence, _ head: Int, _ weights: Tensor, _ changes: Tensor,
        _ targets: AttentionGradients
    ) {
        let (count, d) = (sequence.rows.count, sequence.layout.headDimension)
        let (p, dp) = (weights.floats, changes.floats)
        let (wide, narrow) = (sequence.queryWidth, sequence.keyWidth)
        let queries = sequence.queryStart(head, row: 0)
        let (keys, values) = (sequence.keyStart(head), sequence.valueStart(head))
        let dy = sequence.outputStart(head, row: 0)
        attentionWeights(sequence, head, into: p)
        func matrix(_ base: UnsafeMutablePointer<Float>, _ stride: Int) -> FloatMatrix {
            FloatMatrix(base, stride: stride)
        }
        func transposed(_ base: UnsafeMutablePointer<Float>, _ stride: Int) -> FloatMatrix {
            FloatMatrix(base, stride: stride, isTransposed: true)
        }
        let keyOffset =
            sequence.rows.lowerBound * narrow + sequence.keyHead(head) * d
        let queryOffset = sequence.rows.lowerBound * wide + head * d
        product(
            transposed(p, count), matrix(dy, wide), rows: count, columns: d, depth: count,
            into: targets.value.floats + keyOffset, stride: narrow, adds: true)
        product(
            matrix(dy, wide), transposed(values, narrow), rows: count, columns: count, depth: d,
            into: dp, stride: count, adds: false)
        ck_softmax_gradient(p, dp, Int64(count), Int64(count), sequence.scale)
        product(
            matrix(dp, count), matrix(keys, narrow), rows: count, columns: d, depth: count,
            into: targets.query.floats + queryOffset, stride: wide, adds: true)
        product(
            transposed(dp, count), matrix(queries, wide), rows: count, columns: d, depth: count,
            into: targets.key.floats + keyOffset, stride: narrow, adds: true)
    }

    /// softmax(q kᵀ / √d) of one head, [queries, keys].
    private func attentionWeights(
        _ sequence: AttentionSequence, _ head: Int, into p: UnsafeMutablePointer<Float>
    ) {
        let count = sequence.rows.count
        product(
            FloatMatrix(sequence.queryStart(head, row: 0), stride: sequence.queryWidth),
            FloatMatrix(
                sequence.keyStart(head), stride: sequence.keyWidth, isTransposed: true),
            rows: count, columns: count, depth: sequence.layout.headDimension, into: p,
            stride: count, adds: false)
        var sums = [Float](repeating: 0, count: count)
        let lengths = sequence.layout.isCausal ? (1...Int32(count)).map { $0 } : nil
        ck_softmax_numerators(
            p, Int64(count), Int64(count), Int64(count), sequence.scale, lengths, &sums, nil)
        for row in 0..<count { sums[row] = 1 / sums[row] }
        ck_scale_rows(
            p, Int64(count), sums, p, Int64(count), Int64(count), Int64(count))
    }
}
