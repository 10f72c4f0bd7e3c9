// Attention, computed block by block: nothing of size tokens x tokens exists.
import CKernels

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
            switch products {
            case .packed: runPacked(sequence)
            case .openBLAS: runWithBLAS(sequence)
            }
        }
        let entropies = rowEntropies.map { table in
            (0..<layout.headCount).map { head -> Float in
                let row = table.rows(head..<head + 1).elements
                return Float(row.reduce(0.0) { $0 + Double($1) } / Double(max(rows, 1)))
            }
        }
        return (output, entropies)
    }
}

/// One sequence of an attention call.
struct AttentionSequence {
    let query: Tensor
    let key: Tensor
    let value: Tensor
    let output: Tensor
    let rows: Range<Int>
    let layout: AttentionLayout
    /// [heads, rows of all sequences]
    let entropies: Tensor?

    var scale: Float { 1 / Float(layout.headDimension).squareRoot() }
    var queryWidth: Int { layout.headCount * layout.headDimension }
    var keyWidth: Int { layout.keyValueHeadCount * layout.headDimension }

    /// The key and value head that a query head reads.
    func keyHead(_ head: Int) -> Int { head / (layout.headCount / layout.keyValueHeadCount) }

    /// The first element of one head in one row of the sequence.
    func queryStart(_ head: Int, row: Int) -> UnsafeMutablePointer<Float> {
        query.floats + (rows.lowerBound + row) * queryWidth + head * layout.headDimension
    }
    func keyStart(_ head: Int) -> UnsafeMutablePointer<Float> {
        key.floats + rows.lowerBound * keyWidth + keyHead(head) * layout.headDimension
    }
    func valueStart(_ head: Int) -> UnsafeMutablePointer<Float> {
        value.floats + rows.lowerBound * keyWidth + keyHead(head) * layout.headDimension
    }
    func outputStart(_ head: Int, row: Int) -> UnsafeMutablePointer<Float> {
        output.floats + (rows.lowerBound + row) * queryWidth + head * layout.headDimension
    }
    func entropyStart(_ head: Int, row: Int) -> UnsafeMutablePointer<Float>? {
        entropies.map { $0.floats + head * $0.shape[1] + rows.lowerBound + row }
    }
}
