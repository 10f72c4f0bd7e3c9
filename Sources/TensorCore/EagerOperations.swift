// Operations executed at once. Each splits its work by shape alone and sums in a fixed order.
import CKernels
import COpenBLAS

/// Executes operations on a thread pool.
///
/// Work is split by the shapes of the operands alone, so a result is the same bit for bit with any
/// number of threads.
public final class EagerOperations: TensorOperations {
    public let pool: ThreadPool
    let products: ProductKernels

    public init(pool: ThreadPool, products: ProductKernels = .automatic) {
        precondition(products == .openBLAS || ck_product_is_supported() != 0)
        self.pool = pool
        self.products = products
    }

    /// The kernels that results depend on: two machines with the same name compute the same bits.
    public var kernelFamily: String {
        let level = ["baseline", "avx2", "avx512"][Int(ck_simd_level())]
        if products == .packed { return level }
        let blas = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
        return "\(level)-openblas-\(blas.lowercased())"
    }

    public func embedding(_ ids: [Int32], table: Tensor) -> Tensor {
        let width = table.shape[1]
        let output = Tensor(uninitialized: [ids.count, width])
        for (row, id) in ids.enumerated() {
            precondition(id >= 0 && Int(id) < table.shape[0], "token id outside the table")
            table.rows(Int(id)..<Int(id) + 1).copyFloats(to: output.floats + row * width)
        }
        return output
    }

    public func silu(_ x: Tensor) -> Tensor {
        elementwise(x) { ck_silu($0, $1, $2) }
    }

    public func affine(_ x: Tensor, scale: Float, offset: Float) -> Tensor {
        elementwise(x) { ck_affine($0, scale, offset, $1, $2) }
    }

    public func tanh(_ x: Tensor) -> Tensor {
        elementwise(x) { input, output, count in
            for i in 0..<Int(count) { output[i] = hyperbolicTangent(input[i]) }
        }
    }

    public func siluProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
        elementwise(a, b) { ck_silu_product($0, $1, $2, $3) }
    }

    public func add(_ a: Tensor, _ b: Tensor) -> Tensor {
        elementwise(a, b) { ck_add($0, $1, $2, $3) }
    }

    /// Elements a task of an elementwise loop: large enough to pay for its start.
    static let elementGrain = 1 << 15

    private func elementwise(
        _ x: Tensor,
        _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64) -> Void
    ) -> Tensor {
        let output = Tensor(uninitialized: x.shape)
        let source = x.floats
        let target = output.floats
        pool.run(x.count, grain: Self.elementGrain) { range in
            body(source + range.lowerBound, target + range.lowerBound, Int64(range.count))
        }
        return output
    }

    private func elementwise(
        _ a: Tensor, _ b: Tensor,
        _ body: (
            UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64
        ) -> Void
    ) -> Tensor {
        precondition(a.shape == b.shape)
        let output = Tensor(uninitialized: a.shape)
        let (first, second, target) = (a.floats, b.floats, output.floats)
        pool.run(a.count, grain: Self.elementGrain) { range in
            let start = range.lowerBound
            body(first + start, second + start, target + start, Int64(range.count))
        }
        return output
    }

    public func columns(_ x: Tensor, _ range: Range<Int>) -> Tensor {
        let (rows, width) = (x.shape[0], x.shape[1])
        precondition(range.lowerBound >= 0 && range.upperBound <= width)
        if rows == 1 {
            return x.reshaped([width]).rows(range).reshaped([1, range.count])
        }
        let output = Tensor(uninitialized: [rows, range.count])
        for row in 0..<rows {
            (output.floats + row * range.count).update(
                from: x.floats + row * width + range.lowerBound, count: range.count)
        }
        return output
    }

    public func mergeBlocks(
        _ kept: Tensor, _ selection: BlockSelection, _ others: Tensor, blockCount: Int
    ) -> Tensor {
        let rows = kept.shape[0]
        let width = blockCount * selection.blockSize
        precondition(kept.shape[1] + others.shape[1] == width && others.shape[0] == rows)
        let output = Tensor(uninitialized: [rows, width])
        let values = others.asFloat32()
        let rest = selection.complement(of: blockCount)
        for (source, ranges) in [(kept, selection.ranges), (values, rest.ranges)] {
            pool.run(rows, grain: 64) { group in
                for row in group {
                    var from = source.floats + row * source.shape[1]
                    for range in ranges {
                        (output.floats + row * width + range.lowerBound).update(
                            from: from, count: range.count)
                        from += range.count
                    }
                }
            }
        }
        return output
    }

    public func selectBlocks(_ x: Tensor, _ selection: BlockSelection) -> Tensor {
        let (rows, width) = (x.shape[0], x.shape[1])
        let output = Tensor(uninitialized: [rows, selection.elementCount])
        let ranges = selection.ranges
        pool.run(rows, grain: 64) { group in
            for row in group {
                var target = output.floats + row * selection.elementCount
                for range in ranges {
                    target.update(
                        from: x.floats + row * width + range.lowerBound, count: range.count)
                    target += range.count
                }
            }
        }
        return output
    }

    public func gatherRows(
        _ sources: [Tensor], _ pieces: [(source: Int, rows: Range<Int>)]
    ) -> Tensor {
        let width = sources[0].shape[1]
        precondition(sources.allSatisfy { $0.rank == 2 && $0.shape[1] == width })
        let output = Tensor(uninitialized: [pieces.reduce(0) { $0 + $1.rows.count }, width])
        var target = output.floats
        for piece in pieces where !piece.rows.isEmpty {
            let rows = sources[piece.source].rows(piece.rows)
            target.update(from: rows.floats, count: rows.count)
            target += rows.count
        }
        return output
    }

    public func transposed(_ x: Tensor) -> Tensor {
        let (rows, columns) = (x.shape[0], x.shape[1])
        let output = Tensor(uninitialized: [columns, rows])
        let (source, target) = (x.floats, output.floats)
        pool.run(columns, grain: 32) { range in
            ck_transpose(
                source + range.lowerBound, Int64(columns), Int64(rows), Int64(range.count),
                target + range.lowerBound * rows)
        }
        return output
    }
}
