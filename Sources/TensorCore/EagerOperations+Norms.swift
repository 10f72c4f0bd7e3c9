// Norms and gates by row; their scales and gates are by sequence.
import CKernels

extension EagerOperations {
    /// Rows a task.
    private static let rowGrain = 16

    public func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, scale: Tensor?, segments: Segments
    ) -> Tensor {
        let weight = weight?.asFloat32()
        defer { withExtendedLifetime(weight) {} }
        return byRow(x, perSequence: scale, segments) { source, scale, target, rows, width in
            ck_rms_norm(source, weight?.floats, scale, target, rows, width, epsilon)
        }
    }

    public func layerNorm(
        _ x: Tensor, epsilon: Float, scale: Tensor?, segments: Segments
    ) -> Tensor {
        byRow(x, perSequence: scale, segments) { source, scale, target, rows, width in
            ck_layer_norm(source, scale, target, rows, width, epsilon)
        }
    }

    public func gatedAdd(
        _ x: Tensor, _ update: Tensor, gate: Tensor?, segments: Segments
    ) -> Tensor {
        precondition(x.shape == update.shape)
        let difference = UnsafePointer(update.floats)
        let start = UnsafePointer(x.floats)
        return byRow(x, perSequence: gate, segments) { source, gate, target, rows, width in
            ck_gated_add(source, difference + (source - start), gate, target, rows, width)
        }
    }

    /// Runs `body(source, vector, target, rows, width)` over groups of rows of one sequence, where
    /// `vector` is that sequence's row of `perSequence`.
    private func byRow(
        _ x: Tensor, perSequence: Tensor?, _ segments: Segments,
        _ body: (
            UnsafePointer<Float>, UnsafePointer<Float>?, UnsafeMutablePointer<Float>, Int64, Int64
        ) -> Void
    ) -> Tensor {
        let width = x.shape[1]
        precondition(x.rank == 2 && segments.rowCount == x.shape[0])
        precondition(
            perSequence == nil || perSequence!.shape == [segments.lengths.count, width])
        let output = Tensor(uninitialized: x.shape)
        let (source, target) = (x.floats, output.floats)
        for (sequence, range) in segments.ranges.enumerated() {
            let vector = perSequence.map { UnsafePointer($0.floats + sequence * width) }
            pool.run(range.count, grain: Self.rowGrain) { rows in
                let start = (range.lowerBound + rows.lowerBound) * width
                body(source + start, vector, target + start, Int64(rows.count), Int64(width))
            }
        }
        return output
    }
}
