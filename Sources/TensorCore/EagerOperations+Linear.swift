// Products with weight matrices of any element type.
import CKernels
import COpenBLAS

extension EagerOperations {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, keptOutputs: BlockSelection?,
        keptInputs: BlockSelection?
    ) -> Tensor {
        let (rows, outputs, inputs) = (x.shape[0], weight.shape[0], weight.shape[1])
        let outputRanges = keptOutputs?.ranges ?? [0..<outputs]
        let inputRanges = keptInputs?.ranges ?? [0..<inputs]
        precondition(x.shape[1] == inputRanges.reduce(0) { $0 + $1.count })
        let width = outputRanges.reduce(0) { $0 + $1.count }
        let output = Tensor(uninitialized: [rows, width])
        if rows == 0 || width == 0 { return output }
        let biasFloats = bias?.asFloat32()
        var column = 0
        for outputRange in outputRanges {
            var first = 0
            for inputRange in inputRanges {
                let product = WeightProduct(
                    weight: weight, outputs: outputRange, inputs: inputRange,
                    x: x.floats + first, xStride: x.shape[1],
                    y: output.floats + column, yStride: width,
                    rows: rows, accumulates: first > 0)
                run(product)
                first += inputRange.count
            }
            if inputRanges.isEmpty {
                for row in 0..<rows {
                    (output.floats + row * width + column).update(
                        repeating: 0, count: outputRange.count)
                }
            }
            if let biasFloats {
                for row in 0..<rows {
                    ck_add_bias(
                        output.floats + row * width + column,
                        biasFloats.floats + outputRange.lowerBound, 1, Int64(outputRange.count))
                }
            }
            column += outputRange.count
        }
        withExtendedLifetime((x, weight, biasFloats)) {}
        return output
    }

    /// A product with a rectangle of a weight matrix:
    /// y [rows, outputs] (+)= x [rows, inputs] · weight[outputs, inputs]ᵀ.
    struct WeightProduct {
        let weight: Tensor
        let outputs: Range<Int>
        let inputs: Range<Int>
        let x: UnsafePointer<Float>
        let xStride: Int
        let y: UnsafeMutablePointer<Float>
        let yStride: Int
        let rows: Int
        let accumulates: Bool
    }

    /// Output columns a task, by the number of rows: wide panels amortise the packing of x, narrow
    /// ones spread a small product over the threads.
    private func panelWidth(rows: Int) -> Int { rows >= 256 ? 256 : 64 }

    /// Splits the product into panels of outputs. A panel of a 16-bit weight is converted to
    /// float32 in the thread's scratch memory, so the matrix is never expanded as a whole.
    private func run(_ product: WeightProduct) {
        let width = panelWidth(rows: product.rows)
        let (outputs, inputs) = (product.outputs, product.inputs)
        let element = product.weight.elementType
        let converts = element != .float32
        if converts { pool.reserveScratch(width * inputs.count) }
        let stride = product.weight.shape[1]
        let base = product.weight.bytes
        pool.run((outputs.count + width - 1) / width) { panel, slot in
            let first = panel * width
            let count = min(width, outputs.count - first)
            let offset = (outputs.lowerBound + first) * stride + inputs.lowerBound
            let source = base + offset * element.byteCount
            var matrix = UnsafePointer(source.assumingMemoryBound(to: Float.self))
            if converts {
                let scratch = pool.scratch(slot)
                for row in 0..<count {
                    convertToFloats(
                        source + row * stride * element.byteCount, element,
                        scratch + row * inputs.count, inputs.count)
                }
                matrix = UnsafePointer(scratch)
            }
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, blasint(product.rows), blasint(count),
                blasint(inputs.count), 1, product.x, blasint(product.xStride), matrix,
                blasint(converts ? inputs.count : stride), product.accumulates ? 1 : 0,
                product.y + first, blasint(product.yStride))
        }
    }
}
