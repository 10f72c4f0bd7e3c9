// The packed kernels against OpenBLAS, their slow twin, on shapes with every kind of remainder.
import CKernels
import TensorCore
import TestSupport
import Testing

@Suite(.enabled(if: ck_product_is_supported() != 0)) struct ProductKernelTests {
    let own = EagerOperations(pool: ThreadPool(threadCount: 2), products: .packed)
    let twin = EagerOperations(pool: ThreadPool(threadCount: 2), products: .openBLAS)

    private func random(_ shape: [Int], seed: UInt64) -> Tensor {
        var generator = TorchGenerator(seed: seed)
        return Tensor(generator.normals(shape.reduce(1, *)), shape: shape)
    }

    @Test(arguments: ElementType.allCases) func linear(_ type: ElementType) {
        for (rows, outputs, inputs) in [
            (1, 1, 1), (1, 70, 300), (3, 33, 257), (5, 31, 16), (14, 32, 256), (15, 65, 513),
            (29, 100, 31), (96, 192, 192), (250, 7, 1000), (300, 130, 70),
        ] {
            let x = random([rows, inputs], seed: 1)
            let weight = random([outputs, inputs], seed: 2).converted(to: type)
            let bias = random([outputs], seed: 3).converted(to: type)
            let error = relativeError(
                own.linear(x, weight: weight, bias: bias),
                twin.linear(x, weight: weight, bias: bias))
            #expect(error <= Tolerance.operation, "\(rows) \(outputs) \(inputs): \(error)")
        }
    }

    /// A row's result does not depend on how many others there are: what makes results independent
    /// of batches. (A handful of rows takes another path, which sums in another order.)
    @Test func rowsAreIndependent() {
        let x = random([100, 130], seed: 4)
        let weight = random([70, 130], seed: 5).converted(to: .bfloat16)
        let all = own.linear(x, weight: weight)
        for range in [0..<7, 10..<45, 37..<100] {
            let part = own.linear(x.rows(range), weight: weight)
            #expect(part.elements == all.rows(range).elements)
        }
    }

    @Test func rowsBeyondOnePackedPiece() {
        let x = random([500, 40_000], seed: 6)
        let weight = random([3, 40_000], seed: 7)
        let error = relativeError(
            own.linear(x, weight: weight), twin.linear(x, weight: weight))
        #expect(error <= Tolerance.operation * 4)
    }

    @Test func attention() {
        for (lengths, heads, keyHeads, d, isCausal) in [
            ([1], 1, 1, 2, false), ([31, 0, 2], 3, 1, 10, true), ([33], 2, 2, 64, false),
            ([96, 40], 3, 3, 64, false), ([300], 9, 3, 18, true), ([65, 1, 32], 8, 8, 16, true),
        ] {
            let layout = AttentionLayout(
                headCount: heads, keyValueHeadCount: keyHeads, headDimension: d,
                isCausal: isCausal, segments: Segments(lengths))
            let rows = layout.segments.rowCount
            let query = random([rows, heads * d], seed: 8)
            let key = random([rows, keyHeads * d], seed: 9)
            let value = random([rows, keyHeads * d], seed: 10)
            let a = own.attention(
                query: query, key: key, value: value, layout: layout, measuringEntropy: true)
            let b = twin.attention(
                query: query, key: key, value: value, layout: layout, measuringEntropy: true)
            #expect(relativeError(a.output, b.output) <= Tolerance.operation, "\(lengths)")
            for (x, y) in zip(a.entropies!, b.entropies!) { #expect(abs(x - y) <= 1e-5) }
            let unmeasured = own.attention(
                query: query, key: key, value: value, layout: layout, measuringEntropy: false)
            #expect(unmeasured.output.elements == a.output.elements)
        }
    }

    @Test func entropyOfKnownWeights() {
        // Equal keys give equal weights: the entropy is ln n.
        let layout = AttentionLayout(
            headCount: 1, keyValueHeadCount: 1, headDimension: 4, isCausal: false,
            segments: Segments([20]))
        let same = Tensor([Float](repeating: 1, count: 80), shape: [20, 4])
        for operations in [own, twin] {
            let entropies = operations.attention(
                query: same, key: same, value: same, layout: layout, measuringEntropy: true
            ).entropies!
            #expect(abs(entropies[0] - 2.9957323) < 1e-5)
        }
    }

    @Test func convolutions() {
        for (inputs, outputs, height, width) in [
            (1, 1, 1, 1), (3, 5, 7, 9), (4, 20, 16, 16), (2, 3, 33, 70), (40, 14, 5, 37),
        ] {
            for geometry in [ConvolutionGeometry.same3, .pointwise, .halving3] {
                guard min(height, width) >= geometry.kernel - 1 else { continue }
                let x = random([inputs, height, width], seed: 11)
                let weight = random(
                    [outputs, inputs, geometry.kernel, geometry.kernel], seed: 12
                ).converted(to: .float16)
                let bias = random([outputs], seed: 13)
                let error = relativeError(
                    own.convolution(x, weight: weight, bias: bias, geometry: geometry),
                    twin.convolution(x, weight: weight, bias: bias, geometry: geometry))
                #expect(error <= Tolerance.operation, "\(inputs) \(height)x\(width) \(geometry)")
            }
        }
    }
}
