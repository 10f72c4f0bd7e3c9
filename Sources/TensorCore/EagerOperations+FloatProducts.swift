// Products of float32 matrices in any orientation: what backward passes are made of.
import CKernels
import COpenBLAS

/// A float32 matrix, or the transpose of one, in memory.
struct FloatMatrix {
    let base: UnsafePointer<Float>
    /// Floats from one line in memory to the next.
    let stride: Int
    /// Whether lines in memory are columns of the matrix.
    let isTransposed: Bool

    init(_ base: UnsafeMutablePointer<Float>, stride: Int, isTransposed: Bool = false) {
        self.base = UnsafePointer(base)
        self.stride = stride
        self.isTransposed = isTransposed
    }

    /// A whole tensor of rank 2.
    init(_ tensor: Tensor, isTransposed: Bool = false) {
        self.init(tensor.floats, stride: tensor.shape[1], isTransposed: isTransposed)
    }
}

extension EagerOperations {
    /// c [rows, columns] (+)= a [rows, depth] · b [depth, columns]
    ///
    /// Sums run along the depth in blocks of 256, whatever the number of threads.
    func product(
        _ a: FloatMatrix, _ b: FloatMatrix, rows: Int, columns: Int, depth: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int, adds: Bool
    ) {
        guard rows > 0, columns > 0 else { return }
        guard depth > 0 else {
            if !adds {
                for row in 0..<rows { (c + row * stride).update(repeating: 0, count: columns) }
            }
            return
        }
        guard products == .packed else {
            cblas_sgemm(
                CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
                b.isTransposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
                blasint(depth), 1, a.base, blasint(a.stride), b.base, blasint(b.stride),
                adds ? 1 : 0, c, blasint(stride))
            return
        }
        let packed = pack(a, rows: rows, depth: depth)
        let lines = ck_rows(base: b.base, stride: Int64(b.stride), type: Int32(CK_FLOAT32))
        let kind = b.isTransposed ? CK_FROM_ROWS : CK_FROM_LINES
        multiply(
            packed, rows: rows, depth: depth,
            ck_columns(kind: Int32(kind), rows: lines, image: ck_image(), panels: nil),
            count: columns, into: c, stride: stride, accumulates: adds)
    }

    private func pack(_ a: FloatMatrix, rows: Int, depth: Int) -> TensorStorage {
        guard a.isTransposed else {
            let source = ck_rows(base: a.base, stride: Int64(a.stride), type: Int32(CK_FLOAT32))
            return pack(source, count: rows, depth: depth)
        }
        let packed = TensorStorage(
            byteCount: Int(ck_product_packed_count(Int64(rows), Int64(depth))) * 4)
        let target = packed.baseAddress.assumingMemoryBound(to: Float.self)
        let panelRows = Int(ck_product_panel_rows())
        pool.run((rows + panelRows - 1) / panelRows) { panel, _ in
            ck_product_pack_lines(
                a.base, Int64(a.stride), Int64(rows), Int64(depth), Int64(panel), target)
        }
        return packed
    }
}
