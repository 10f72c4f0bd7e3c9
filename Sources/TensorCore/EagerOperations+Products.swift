// How matrix products are carried out: with the packed kernels, or with OpenBLAS.
import CKernels
import COpenBLAS

/// Which kernels multiply matrices.
public enum ProductKernels: Sendable {
    /// Own kernels, for AVX-512 and AVX2: weights are converted as they are packed.
    case packed
    /// OpenBLAS, for every other processor, and the twin that tests compare with.
    case openBLAS

    /// The faster of those that this processor can run.
    public static var automatic: ProductKernels {
        ck_product_is_supported() != 0 ? .packed : .openBLAS
    }
}

/// The left side of products, made ready once for several of them.
enum ProductOperand {
    case packed(TensorStorage, rows: Int)
    case few(MatrixRows)
    case plain(MatrixRows)
}

extension EagerOperations {
    /// Up to this many rows a product is bound by reading the weights: packing would not pay.
    private static let fewRows = 4

    func prepare(_ rows: MatrixRows, depth: Int) -> ProductOperand {
        guard products == .packed else { return .plain(rows) }
        if rows.count <= Self.fewRows { return .few(rows) }
        let source = ck_rows(
            base: rows.base, stride: Int64(rows.stride), type: Int32(CK_FLOAT32))
        return .packed(pack(source, count: rows.count, depth: depth), rows: rows.count)
    }

    /// Packs rows that run along the depth, panel by panel.
    func pack(_ rows: ck_rows, count: Int, depth: Int) -> TensorStorage {
        let packed = TensorStorage(
            byteCount: Int(ck_product_packed_count(Int64(count), Int64(depth))) * 4)
        let target = packed.baseAddress.assumingMemoryBound(to: Float.self)
        let panelRows = Int(ck_product_panel_rows())
        pool.run((count + panelRows - 1) / panelRows) { panel, _ in
            withUnsafePointer(to: rows) {
                ck_product_pack($0, Int64(count), Int64(depth), Int64(panel), target)
            }
        }
        return packed
    }

    /// y [rows, outputs] (+)= operand · weightᵀ
    func multiply(
        _ operand: ProductOperand, _ weight: WeightRectangle,
        into y: UnsafeMutablePointer<Float>, stride: Int, accumulates: Bool
    ) {
        switch operand {
        case .packed(let storage, let rows):
            let columns = ck_columns(
                kind: Int32(CK_FROM_ROWS), rows: weight.rows, image: ck_image(), panels: nil)
            multiply(
                storage, rows: rows, depth: weight.inputCount, columns,
                count: weight.outputCount, into: y, stride: stride, accumulates: accumulates)
        case .few(let rows):
            let width = 64
            pool.run(weight.outputCount, grain: width) { range in
                withUnsafePointer(to: weight.rows) {
                    ck_product_few(
                        rows.base, Int64(rows.stride), Int64(rows.count),
                        Int64(weight.inputCount), $0, Int64(range.lowerBound), Int64(range.count),
                        y + range.lowerBound, Int64(stride), accumulates ? 1 : 0)
                }
            }
        case .plain(let rows):
            multiplyWithBLAS(rows, weight, into: y, stride: stride, accumulates: accumulates)
        }
    }

    /// c [rows, count] (+)= packed · columns, in pieces of columns. The pieces' width depends on
    /// the shape alone; narrower ones serve small products, which would otherwise be one or two
    /// tasks.
    func multiply(
        _ packed: TensorStorage, rows: Int, depth: Int, _ columns: ck_columns, count: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int, accumulates: Bool
    ) {
        let width = min(256, max(32, (count / 16 + 31) / 32 * 32))
        pool.reserveScratch(Int(ck_product_scratch_count(Int64(width))))
        let operand = UnsafePointer(packed.baseAddress.assumingMemoryBound(to: Float.self))
        pool.run((count + width - 1) / width) { index, slot in
            let first = index * width
            withUnsafePointer(to: columns) {
                ck_product_run(
                    operand, Int64(rows), Int64(depth), $0, Int64(first),
                    Int64(min(width, count - first)), c + first, Int64(stride),
                    accumulates ? 1 : 0, pool.scratch(slot))
            }
        }
    }

    /// The same with OpenBLAS, in panels of outputs. A panel of a 16-bit weight is converted in the
    /// thread's scratch memory, so the matrix is never expanded as a whole.
    private func multiplyWithBLAS(
        _ x: MatrixRows, _ weight: WeightRectangle, into y: UnsafeMutablePointer<Float>,
        stride: Int, accumulates: Bool
    ) {
        // Wide panels amortise OpenBLAS's packing of x, narrow ones spread a small product.
        let width = x.count >= 256 ? 256 : 64
        let (element, depth) = (weight.elementType, weight.inputCount)
        let converts = element != .float32
        if converts { pool.reserveScratch(width * depth) }
        pool.run((weight.outputCount + width - 1) / width) { panel, slot in
            let first = panel * width
            let count = min(width, weight.outputCount - first)
            let source = weight.base + first * weight.stride * element.byteCount
            var matrix = source.assumingMemoryBound(to: Float.self)
            if converts {
                let scratch = pool.scratch(slot)
                for row in 0..<count {
                    convertToFloats(
                        source + row * weight.stride * element.byteCount, element,
                        scratch + row * depth, depth)
                }
                matrix = UnsafePointer(scratch)
            }
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, blasint(x.count), blasint(count),
                blasint(depth), 1, x.base, blasint(x.stride), matrix,
                blasint(converts ? depth : weight.stride), accumulates ? 1 : 0, y + first,
                blasint(stride))
        }
    }
}
