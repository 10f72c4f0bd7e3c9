// Products with weight matrices of any element type.
import CKernels

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
        if inputRanges.isEmpty { output.floats.update(repeating: 0, count: output.count) }
        // Rows in pieces, so that the packed copy of x stays small beside the activations.
        let piece = max(Self.packedRowsUnit, Self.packedFloatLimit / max(inputs, 1))
        for start in stride(from: 0, to: rows, by: piece) {
            let end = min(start + piece, rows)
            var first = 0
            for inputRange in inputRanges {
                let part = MatrixRows(
                    base: x.floats + start * x.shape[1] + first, stride: x.shape[1],
                    count: end - start)
                let operand = prepare(part, depth: inputRange.count)
                var column = 0
                for outputRange in outputRanges {
                    multiply(
                        operand, WeightRectangle(weight, outputRange, inputRange),
                        into: output.floats + start * width + column, stride: width,
                        accumulates: first > 0)
                    column += outputRange.count
                }
                first += inputRange.count
            }
        }
        if let bias { addBias(bias, outputRanges, output) }
        withExtendedLifetime((x, weight)) {}
        return output
    }

    /// Rows of x that are packed at once are a multiple of this, or at least these many.
    private static let packedRowsUnit = 224
    private static let packedFloatLimit = 8 << 20

    private func addBias(_ bias: Tensor, _ ranges: [Range<Int>], _ output: Tensor) {
        let values = bias.asFloat32()
        let (rows, width) = (output.shape[0], output.shape[1])
        var column = 0
        for range in ranges {
            for row in 0..<rows {
                ck_add_bias(
                    output.floats + row * width + column, values.floats + range.lowerBound, 1,
                    Int64(range.count))
            }
            column += range.count
        }
        withExtendedLifetime(values) {}
    }
}

/// Rows of a float32 matrix.
struct MatrixRows {
    let base: UnsafePointer<Float>
    /// Floats from one row to the next.
    let stride: Int
    let count: Int

    init(base: UnsafeMutablePointer<Float>, stride: Int, count: Int) {
        self.base = UnsafePointer(base)
        self.stride = stride
        self.count = count
    }
}

/// A rectangle of a weight matrix: some outputs, some inputs.
struct WeightRectangle {
    let base: UnsafeRawPointer
    let elementType: ElementType
    /// Elements from one output to the next.
    let stride: Int
    let outputCount: Int
    let inputCount: Int

    init(_ weight: Tensor, _ outputs: Range<Int>, _ inputs: Range<Int>) {
        stride = weight.shape[1]
        elementType = weight.elementType
        let offset = outputs.lowerBound * stride + inputs.lowerBound
        base = UnsafeRawPointer(weight.bytes + offset * elementType.byteCount)
        outputCount = outputs.count
        inputCount = inputs.count
    }

    var rows: ck_rows { ck_rows(base: base, stride: Int64(stride), type: elementType.kernelType) }
}

extension ElementType {
    /// The kernels' name of the type.
    var kernelType: Int32 {
        switch self {
        case .float32: Int32(CK_FLOAT32)
        case .float16: Int32(CK_FLOAT16)
        case .bfloat16: Int32(CK_BFLOAT16)
        }
    }
}
