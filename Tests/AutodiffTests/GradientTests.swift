// Every gradient rule against central differences.
import Autodiff
import Glibc
import TensorCore
import Testing

/// A function of several tensors, and what is checked of it.
struct GradientCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// The operands' shapes.
    let shapes: [[Int]]
    let function: @Sendable (_ operations: any TensorOperations, _ operands: [Tensor]) -> Tensor

    var testDescription: String { name }

    static let all: [GradientCase] = [
        GradientCase(name: "linear", shapes: [[5, 7], [3, 7], [3]]) { o, x in
            o.linear(x[0], weight: x[1], bias: x[2])
        },
        GradientCase(name: "wide linear", shapes: [[37, 300], [70, 300], [70]]) { o, x in
            o.linear(x[0], weight: x[1], bias: x[2])
        },
        GradientCase(name: "embedding", shapes: [[6, 5]]) { o, x in
            o.embedding([1, 4, 1, 0], table: x[0])
        },
        GradientCase(name: "rmsNorm", shapes: [[6, 19], [19], [2, 19]]) { o, x in
            o.rmsNorm(
                x[0], weight: x[1], epsilon: 1e-3, scale: x[2], segments: Segments([2, 4]))
        },
        GradientCase(name: "rmsNorm without scale", shapes: [[6, 32], [32]]) { o, x in
            o.rmsNorm(x[0], weight: x[1], epsilon: 1e-3, scale: nil, segments: Segments([6]))
        },
        GradientCase(name: "layerNorm", shapes: [[6, 19], [2, 19]]) { o, x in
            o.layerNorm(x[0], epsilon: 1e-3, scale: x[1], segments: Segments([2, 4]))
        },
        GradientCase(name: "gatedAdd", shapes: [[6, 5], [6, 5], [2, 5]]) { o, x in
            o.gatedAdd(x[0], x[1], gate: x[2], segments: Segments([2, 4]))
        },
        GradientCase(name: "plain gatedAdd", shapes: [[6, 5], [6, 5]]) { o, x in
            o.gatedAdd(x[0], x[1], gate: nil, segments: Segments([6]))
        },
        GradientCase(name: "silu", shapes: [[3, 21]]) { o, x in o.silu(x[0]) },
        GradientCase(name: "siluProduct", shapes: [[3, 21], [3, 21]]) { o, x in
            o.siluProduct(x[0], x[1])
        },
        GradientCase(name: "tanh", shapes: [[3, 21]]) { o, x in o.tanh(x[0]) },
        GradientCase(name: "affine", shapes: [[3, 5]]) { o, x in
            o.affine(x[0], scale: -2, offset: 1)
        },
        GradientCase(name: "columns", shapes: [[4, 6]]) { o, x in
            o.add(o.columns(x[0], 1..<4), o.columns(x[0], 2..<5))
        },
        GradientCase(name: "columns of one row", shapes: [[1, 6]]) { o, x in
            o.siluProduct(o.columns(x[0], 0..<3), o.columns(x[0], 2..<5))
        },
        GradientCase(name: "gatherRows", shapes: [[4, 3], [1, 3]]) { o, x in
            o.gatherRows([x[0], x[1]], [(0, 1..<3), (1, 0..<1), (1, 0..<1), (0, 0..<2)])
        },
        GradientCase(name: "transposed", shapes: [[4, 3]]) { o, x in
            o.silu(o.transposed(x[0]))
        },
        GradientCase(name: "reshaped rows", shapes: [[4, 6]]) { o, x in
            o.siluProduct(x[0].rows(0..<2).reshaped([3, 4]), x[0].rows(1..<3).reshaped([3, 4]))
        },
        GradientCase(name: "a value used twice", shapes: [[3, 4]]) { o, x in
            let y = o.silu(x[0])
            return o.add(o.siluProduct(y, x[0]), o.add(y, y))
        },
        GradientCase(name: "headNormRotary", shapes: [[5, 16], [8]]) { o, x in
            o.headNormRotary(
                x[0], headDimension: 8, weight: x[1], epsilon: 1e-3,
                rotary: rotary(rows: 5, half: 4, isInterleaved: true))
        },
        GradientCase(name: "headNormRotary by halves", shapes: [[5, 16], [8]]) { o, x in
            o.headNormRotary(
                x[0], headDimension: 8, weight: x[1], epsilon: 1e-3,
                rotary: rotary(rows: 5, half: 4, isInterleaved: false))
        },
        GradientCase(name: "rotation alone", shapes: [[5, 16]]) { o, x in
            o.headNormRotary(
                x[0], headDimension: 8, weight: nil, epsilon: 1e-3,
                rotary: rotary(rows: 5, half: 4, isInterleaved: true))
        },
        GradientCase(name: "attention", shapes: [[9, 16], [9, 16], [9, 16]]) { o, x in
            attention(o, x, heads: 2, keyValueHeads: 2, isCausal: false)
        },
        GradientCase(name: "causal, grouped attention", shapes: [[9, 32], [9, 16], [9, 16]]) {
            o, x in attention(o, x, heads: 4, keyValueHeads: 2, isCausal: true)
        },
        GradientCase(name: "groupNorm", shapes: [[6, 5, 7], [6], [6]]) { o, x in
            o.groupNorm(
                x[0], groupCount: 3, weight: x[1], bias: x[2], epsilon: 1e-3, silu: false)
        },
        GradientCase(name: "groupNorm and SiLU", shapes: [[6, 5, 7], [6], [6]]) { o, x in
            o.groupNorm(
                x[0], groupCount: 2, weight: x[1], bias: x[2], epsilon: 1e-3, silu: true)
        },
        GradientCase(name: "convolution 3 x 3", shapes: [[3, 5, 6], [4, 3, 3, 3], [4]]) { o, x in
            o.convolution(x[0], weight: x[1], bias: x[2], geometry: .same3)
        },
        GradientCase(name: "convolution 1 x 1", shapes: [[3, 5, 6], [4, 3, 1, 1], [4]]) { o, x in
            o.convolution(x[0], weight: x[1], bias: x[2], geometry: .pointwise)
        },
        GradientCase(name: "halving convolution", shapes: [[3, 6, 8], [4, 3, 3, 3], [4]]) { o, x in
            o.convolution(x[0], weight: x[1], bias: x[2], geometry: .halving3)
        },
        GradientCase(
            name: "upsampled convolution", shapes: [[3, 4, 5], [4, 3, 3, 3], [4]]
        ) { o, x in o.upsampledConvolution(x[0], weight: x[1], bias: x[2]) },
        GradientCase(name: "upsample2", shapes: [[3, 4, 5]]) { o, x in o.upsample2(x[0]) },
    ]

    private static func rotary(rows: Int, half: Int, isInterleaved: Bool) -> RotaryTable {
        var generator = TorchGenerator(seed: 11)
        let angles = generator.normals(rows * half)
        return RotaryTable(
            cosines: Tensor(angles.map { cosf($0) }, shape: [rows, half]),
            sines: Tensor(angles.map { sinf($0) }, shape: [rows, half]),
            isInterleaved: isInterleaved)
    }

    private static func attention(
        _ operations: any TensorOperations, _ x: [Tensor], heads: Int, keyValueHeads: Int,
        isCausal: Bool
    ) -> Tensor {
        let layout = AttentionLayout(
            headCount: heads, keyValueHeadCount: keyValueHeads, headDimension: 8,
            isCausal: isCausal, segments: Segments([4, 5]))
        return operations.attention(
            query: x[0], key: x[1], value: x[2], layout: layout, measuringEntropy: false
        ).output
    }
}

@Suite struct GradientTests {
    /// The function is made a number by random weights; each operand's gradient is compared along
    /// random directions, which reach every element.
    @Test(arguments: GradientCase.all, [ProductKernels.automatic, .openBLAS])
    func `gradients agree with central differences`(
        _ given: GradientCase, _ products: ProductKernels
    ) {
        let eager = EagerOperations(pool: ThreadPool(threadCount: 2), products: products)
        var generator = TorchGenerator(seed: 7)
        let operands = given.shapes.map { shape in
            Tensor(generator.normals(shape.reduce(1, *)), shape: shape)
        }
        let recorder = RecordingOperations(eager, parameters: operands)
        let result = given.function(recorder, operands)
        let weights = Tensor(generator.normals(result.count), shape: result.shape)
        recorder.backward(from: [(result, weights)])
        func value(_ operands: [Tensor]) -> Double {
            dot(given.function(eager, operands), weights)
        }
        for (index, operand) in operands.enumerated() {
            guard let gradient = recorder.gradients[operand] else {
                Issue.record("\(given.name): operand \(index) has no gradient")
                continue
            }
            for _ in 0..<3 {
                let direction = Tensor(generator.normals(operand.count), shape: operand.shape)
                let step: Float = 5e-2 / Float(Double(operand.count).squareRoot())
                func moved(_ sign: Float) -> Double {
                    var moved = operands
                    moved[index] = eager.add(
                        operand, eager.affine(direction, scale: sign * step, offset: 0))
                    return value(moved)
                }
                let expected = (moved(1) - moved(-1)) / Double(2 * step)
                let actual = dot(gradient, direction)
                // Rounding of the function's value, divided by the step, bounds the agreement.
                let scale = norm(gradient) + norm(weights) * 0.1
                #expect(
                    abs(expected - actual) <= 5e-3 * scale,
                    "\(given.name), operand \(index): \(actual) instead of \(expected)")
            }
        }
    }

    @Test func `what no parameter reaches is not recorded`() {
        let eager = EagerOperations(pool: ThreadPool(threadCount: 1))
        let x = Tensor([1, 2, 3, 4], shape: [2, 2])
        let recorder = RecordingOperations(eager, parameters: [])
        let y = recorder.silu(recorder.linear(x, weight: x))
        #expect(recorder.recordedCount == 0)
        #expect(recorder.gradients[y] == nil)
    }

    @Test func `gradients are the same at any thread count`() {
        func gradient(_ threads: Int) -> [Float] {
            let eager = EagerOperations(pool: ThreadPool(threadCount: threads))
            var generator = TorchGenerator(seed: 3)
            let x = Tensor(generator.normals(300 * 70), shape: [300, 70])
            let w = Tensor(generator.normals(90 * 70), shape: [90, 70])
            let recorder = RecordingOperations(eager, parameters: [w])
            let y = recorder.silu(recorder.linear(x, weight: w))
            recorder.backward(from: [(y, y)])
            return recorder.gradients[w]!.elements
        }
        let first = gradient(1)
        #expect(first == gradient(2))
        #expect(first == gradient(3))
    }

    private func dot(_ a: Tensor, _ b: Tensor) -> Double {
        zip(a.elements, b.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    private func norm(_ a: Tensor) -> Double { dot(a, a).squareRoot() }
}
