// Attention with the packed kernels, transposed: scores are [keys, 32 queries].
import CKernels

extension EagerOperations {
    /// For each head, keys and values are packed once; then panels of 32 queries go one by one. The
    /// scores of a panel come out of the first product in just the form that the second one takes,
    /// and the softmax runs down the columns, sixteen queries a vector.
    func runPacked(_ sequence: AttentionSequence) {
        let panels = (sequence.rows.count + 31) / 32
        // Few heads are cut further, so that all threads have something to do; each part packs its
        // head's keys again. The cut depends on the shape alone.
        let parts = sequence.layout.headCount >= 8 ? 1 : min(panels, 4)
        let scratch = PackedScratch(sequence)
        pool.reserveScratch(scratch.floatCount)
        pool.run(sequence.layout.headCount * parts) { index, slot in
            let (head, part) = (index / parts, index % parts)
            let range = part * panels / parts..<(part + 1) * panels / parts
            let memory = pool.scratch(slot)
            packKeysAndValues(sequence, head, scratch, memory)
            for panel in range { attend(sequence, head, panel: panel, scratch, memory) }
        }
    }

    /// Where things lie in a thread's scratch memory, in floats.
    private struct PackedScratch {
        let keys: Int
        let values: Int
        let transposedValues: Int
        let queries: Int
        let scores: Int
        let weighted: Int
        let sums: Int
        let entropies: Int
        let floatCount: Int

        init(_ sequence: AttentionSequence) {
            let (count, d) = (Int64(sequence.rows.count), Int64(sequence.layout.headDimension))
            var end = 0
            func reserve(_ count: Int64) -> Int {
                defer { end += (Int(count) + 15) / 16 * 16 + 16 }
                return end
            }
            keys = reserve(ck_product_packed_count(count, d))
            values = reserve(ck_product_packed_count(d, count))
            transposedValues = reserve(d * count)
            queries = reserve(d * 32)
            scores = reserve(count * 32)
            weighted = reserve(d * 32)
            sums = reserve(32)
            entropies = reserve(32)
            floatCount = end
        }
    }

    private func packKeysAndValues(
        _ sequence: AttentionSequence, _ head: Int, _ scratch: PackedScratch,
        _ memory: UnsafeMutablePointer<Float>
    ) {
        let (count, d) = (sequence.rows.count, sequence.layout.headDimension)
        let panelRows = Int(ck_product_panel_rows())
        func pack(_ rows: ck_rows, _ count: Int, _ depth: Int, _ target: Int) {
            withUnsafePointer(to: rows) {
                for panel in 0..<(count + panelRows - 1) / panelRows {
                    ck_product_pack(
                        $0, Int64(count), Int64(depth), Int64(panel), memory + target)
                }
            }
        }
        let keys = ck_rows(
            base: sequence.keyStart(head), stride: Int64(sequence.keyWidth),
            type: Int32(CK_FLOAT32))
        pack(keys, count, d, scratch.keys)
        // Values [keys, d] become rows along the keys, [d, keys].
        let transposed = memory + scratch.transposedValues
        ck_transpose(
            sequence.valueStart(head), Int64(sequence.keyWidth), Int64(count), Int64(d),
            transposed)
        let values = ck_rows(base: transposed, stride: Int64(count), type: Int32(CK_FLOAT32))
        pack(values, d, count, scratch.values)
    }

    /// 32 queries of one head against all keys they may see.
    private func attend(
        _ sequence: AttentionSequence, _ head: Int, panel: Int, _ scratch: PackedScratch,
        _ memory: UnsafeMutablePointer<Float>
    ) {
        let (rows, d) = (sequence.rows.count, sequence.layout.headDimension)
        let first = panel * 32
        let count = min(32, rows - first)
        let queries = ck_rows(
            base: sequence.queryStart(head, row: first), stride: Int64(sequence.queryWidth),
            type: Int32(CK_FLOAT32))
        withUnsafePointer(to: queries) {
            ck_product_pack_columns($0, 0, Int64(count), Int64(d), memory + scratch.queries)
        }
        // [keys, 32] = keys · queriesᵀ
        let scores = memory + scratch.scores
        multiply(memory + scratch.keys, rows, d, memory + scratch.queries, into: scores)
        let limits =
            sequence.layout.isCausal ? (0..<32).map { Int32(min(first + $0 + 1, rows)) } : []
        limits.withUnsafeBufferPointer {
            ck_softmax_panel(
                scores, Int64(rows), sequence.scale,
                sequence.layout.isCausal ? $0.baseAddress : nil, memory + scratch.sums,
                sequence.entropies == nil ? nil : memory + scratch.entropies)
        }
        // [d, 32] = valuesᵀ · weights
        multiply(memory + scratch.values, d, rows, scores, into: memory + scratch.weighted)
        ck_unpanel_scaled(
            memory + scratch.weighted, Int64(d), memory + scratch.sums, Int64(count),
            sequence.outputStart(head, row: first), Int64(sequence.queryWidth))
        sequence.entropyStart(head, row: first)?.update(
            from: memory + scratch.entropies, count: count)
    }

    /// c [rows, 32] = packed [rows, depth] · panel [depth, 32]
    private func multiply(
        _ packed: UnsafePointer<Float>, _ rows: Int, _ depth: Int, _ panel: UnsafePointer<Float>,
        into c: UnsafeMutablePointer<Float>
    ) {
        var columns = ck_columns()
        columns.kind = Int32(CK_FROM_PANELS)
        columns.panels = panel
        withUnsafePointer(to: columns) {
            ck_product_run(packed, Int64(rows), Int64(depth), $0, 0, 32, c, 32, 0, nil)
        }
    }
}
