// Backward of products with weights, and of what moves rows and columns about.
import CKernels

extension EagerOperations {
    /// Of `linear` with all blocks kept: dx = dy · weight, dweight = dyᵀ · x, dbias = Σ dy.
    ///
    /// - Parameters:
    ///   - gradient: dy, [rows, outputs]
    ///   - weight: float32
    public func linearGradient(
        _ x: Tensor, weight: Tensor, gradient: Tensor, x dx: GradientTarget?,
        weight dweight: GradientTarget?, bias dbias: GradientTarget?
    ) {
        let (rows, outputs, inputs) = (x.shape[0], weight.shape[0], weight.shape[1])
        if let dx {
            product(
                FloatMatrix(gradient), FloatMatrix(weight), rows: rows, columns: inputs,
                depth: outputs, into: dx.floats, stride: inputs, adds: dx.adds)
        }
        if let dweight {
            product(
                FloatMatrix(gradient, isTransposed: true), FloatMatrix(x), rows: outputs,
                columns: inputs, depth: rows, into: dweight.floats, stride: inputs,
                adds: dweight.adds)
        }
        if let dbias {
            ck_column_sums(
                gradient.floats, Int64(rows), Int64(outputs), dbias.startingAtZero().floats)
        }
        withExtendedLifetime((x, weight, gradient)) {}
    }

    /// Of `embedding`: the rows of dy are added to those of the table.
    public func embeddingGradient(_ ids: [Int32], gradient: Tensor, table: GradientTarget) {
        let width = gradient.shape[1]
        let target = table.startingAtZero().floats
        for (row, id) in ids.enumerated() {
            ck_scaled(
                gradient.floats + row * width, 1, target + Int(id) * width, Int64(width), 1)
        }
        withExtendedLifetime(gradient) {}
    }

    /// Of `columns`: dy goes to those columns of dx, which holds gradients or zeros already.
    public func columnsGradient(_ range: Range<Int>, gradient: Tensor, x dx: GradientTarget) {
        let width = dx.tensor.shape[1]
        let target = dx.startingAtZero().floats
        for row in 0..<gradient.shape[0] {
            ck_scaled(
                gradient.floats + row * range.count, 1, target + row * width + range.lowerBound,
                Int64(range.count), 1)
        }
        withExtendedLifetime(gradient) {}
    }

    /// Of `gatherRows`: each piece of dy is added to the rows that it came from.
    public func gatherRowsGradient(
        _ pieces: [(source: Int, rows: Range<Int>)], gradient: Tensor,
        sources: [GradientTarget?]
    ) {
        let targets = sources.map { $0?.startingAtZero() }
        let width = gradient.shape[1]
        var row = 0
        for piece in pieces {
            if let target = targets[piece.source] {
                ck_scaled(
                    gradient.floats + row * width, 1,
                    target.floats + piece.rows.lowerBound * width,
                    Int64(piece.rows.count * width), 1)
            }
            row += piece.rows.count
        }
        withExtendedLifetime((gradient, targets)) {}
    }

    /// dx (+)= factor · dy: of sums, and of `affine`.
    public func scaledGradient(_ gradient: Tensor, factor: Float = 1, x dx: GradientTarget) {
        precondition(gradient.count == dx.tensor.count)
        ck_scaled(gradient.floats, factor, dx.floats, Int64(gradient.count), dx.flag)
        withExtendedLifetime(gradient) {}
    }

    /// Of `transposed`.
    public func transposedGradient(_ gradient: Tensor, x dx: GradientTarget) {
        scaledGradient(transposed(gradient), x: dx)
    }

    /// Of `silu`.
    public func siluGradient(_ x: Tensor, gradient: Tensor, x dx: GradientTarget) {
        ck_silu_gradient(x.floats, gradient.floats, dx.floats, Int64(x.count), dx.flag)
        withExtendedLifetime((x, gradient)) {}
    }

    /// Of `siluProduct`.
    public func siluProductGradient(
        _ a: Tensor, _ b: Tensor, gradient: Tensor, a da: GradientTarget, b db: GradientTarget
    ) {
        ck_silu_product_gradient(
            a.floats, b.floats, gradient.floats, da.floats, da.flag, db.floats, db.flag,
            Int64(a.count))
        withExtendedLifetime((a, b, gradient)) {}
    }

    /// Of `tanh`, from its result.
    public func tanhGradient(_ y: Tensor, gradient: Tensor, x dx: GradientTarget) {
        ck_tanh_gradient(y.floats, gradient.floats, dx.floats, Int64(y.count), dx.flag)
        withExtendedLifetime((y, gradient)) {}
    }
}
