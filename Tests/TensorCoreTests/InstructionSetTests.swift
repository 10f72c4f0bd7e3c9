// Vector kernels compiled for each instruction set against each other and against plain formulas.
import CKernels
import Glibc
import TensorCore
import TestSupport
import Testing

@Suite struct InstructionSetTests {
    private func values(_ count: Int, seed: UInt64 = 1) -> [Float] {
        var generator = TorchGenerator(seed: seed)
        return generator.normals(count)
    }

    /// The kernel's output on inputs of awkward length, compared with `formula`.
    private func check(
        _ name: String, tolerance: Float = Tolerance.instructionSets, _ formula: (Float) -> Double,
        _ kernel: ([Float], UnsafeMutablePointer<Float>) -> Void
    ) {
        for count in [1, 15, 16, 17, 100] {
            let input = values(max(count, 16)).prefix(count).map { $0 * 4 }
            var output = [Float](repeating: .nan, count: count)
            output.withUnsafeMutableBufferPointer { kernel(input, $0.baseAddress!) }
            for (x, y) in zip(input, output) {
                let expected = formula(x)
                #expect(abs(Double(y) - expected) <= Double(tolerance) * max(1, abs(expected)), "\(name) \(x)")
            }
        }
    }

    @Test func exponentialAndSiLU() {
        check("exp", { exp(Double($0)) }) { ck_exp($0, $1, Int64($0.count)) }
        check("silu", { Double($0) / (1 + exp(-Double($0))) }) { ck_silu($0, $1, Int64($0.count)) }
    }

    @Test func exponentialAtTheEnds() {
        let input: [Float] = [-1000, -87.3, 0, 88, 1000, -.infinity]
        var output = [Float](repeating: 0, count: input.count)
        ck_exp(input, &output, Int64(input.count))
        #expect(output[0] < 2e-38 && output[5] < 2e-38 && output[2] == 1)
        #expect(output.allSatisfy { $0.isFinite && $0 > 0 })
        #expect(abs(output[3] / expf(88) - 1) < 1e-6)
    }

    @Test func halfPrecisionIsExact() {
        // Every bit pattern there and back.
        let patterns = (0...UInt16.max).map { $0 }
        var floats = [Float](repeating: 0, count: patterns.count)
        var back = [UInt16](repeating: 0, count: patterns.count)
        ck_bf16_to_f32(patterns, &floats, Int64(patterns.count))
        ck_f32_to_bf16(floats, &back, Int64(patterns.count))
        for (pattern, value) in zip(patterns, floats) {
            #expect(value.bitPattern == UInt32(pattern) << 16)
        }
        #expect(zip(zip(patterns, back), floats).allSatisfy { $0.0 == $0.1 || $1.isNaN })
        ck_f16_to_f32(patterns, &floats, Int64(patterns.count))
        ck_f32_to_f16(floats, &back, Int64(patterns.count))
        #expect(zip(zip(patterns, back), floats).allSatisfy { $0.0 == $0.1 || $1.isNaN })
        #expect(floats[0x3c00] == 1 && floats[0x7bff] == 65504 && floats[1] == 0x1p-24)
    }

    @Test func roundingIsToNearestEven() {
        let input: [Float] = [1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7 + 0x1p-8, .nan]
        var output = [UInt16](repeating: 0, count: 4)
        ck_f32_to_bf16(input, &output, 4)
        #expect(output[0] == 0x3f80 && output[1] == 0x3f81 && output[2] == 0x3f82)
        #expect(output[3] & 0x7fff > 0x7f80)
    }

    @Test func instructionSetsAgree() {
        let (rows, width) = (3, 75)
        let x = values(rows * width)
        let weight = values(width, seed: 2)
        func run() -> [[Float]] {
            var outputs: [[Float]] = []
            func keep(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
                var output = [Float](repeating: 0, count: count)
                output.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
                outputs.append(output)
            }
            let (r, n) = (Int64(rows), Int64(width))
            keep(x.count) { ck_rms_norm(x, weight, weight, $0, r, n, 1e-5) }
            keep(x.count) { ck_layer_norm(x, weight, $0, r, n, 1e-5) }
            keep(x.count) { ck_gated_add(x, x, weight, $0, r, n) }
            keep(x.count) { ck_silu_product(x, x, $0, r * n) }
            keep(x.count) { ck_normalize_plane(x, 2, 1, 1, $0, r * n) }
            keep(x.count) { ck_affine(x, 2, 1, $0, r * n) }
            keep(72) { ck_head_norm_rotary(x, weight, 1e-5, weight, x, 1, $0, 3, 24) }
            keep(72) { ck_head_norm_rotary(x, nil, 1e-5, weight, x, 0, $0, 3, 24) }
            var scores = x
            var (sums, entropies) = ([Float](repeating: 0, count: 3), [Float](repeating: 0, count: 3))
            ck_softmax_numerators(&scores, r, n, n, 0.5, nil, &sums, &entropies)
            outputs += [scores, sums, entropies]
            var panel = values(32 * 7, seed: 3)
            (sums, entropies) = (
                [Float](repeating: 0, count: 32), [Float](repeating: 0, count: 32)
            )
            ck_softmax_panel(&panel, 7, 0.5, nil, &sums, &entropies)
            return outputs + [panel, sums, entropies]
        }
        let best = ck_simd_level()
        defer { ck_set_simd_level(-1) }
        let reference = run()
        for level in 0..<best {
            ck_set_simd_level(level)
            for (index, (a, b)) in zip(run(), reference).enumerated() {
                #expect(relativeError(a, b) <= Tolerance.instructionSets * 4, "\(level) \(index)")
            }
        }
    }

    /// The softmax down the columns of a panel equals that along rows.
    @Test func panelsEqualRows() {
        let keys = 45
        let x = values(keys * 32, seed: 4)
        var panel = x
        let limits = (0..<32).map { Int32($0 + 14) }
        var sums = [Float](repeating: 0, count: 32)
        var entropies = sums
        ck_softmax_panel(&panel, Int64(keys), 0.3, limits, &sums, &entropies)
        var rows = (0..<32).flatMap { q in (0..<keys).map { x[$0 * 32 + q] } }
        var rowSums = [Float](repeating: 0, count: 32)
        var rowEntropies = rowSums
        ck_softmax_numerators(
            &rows, 32, Int64(keys), Int64(keys), 0.3, limits, &rowSums, &rowEntropies)
        let transposed = (0..<keys).flatMap { k in (0..<32).map { rows[$0 * keys + k] } }
        #expect(relativeError(panel, transposed) <= Tolerance.instructionSets)
        #expect(relativeError(sums, rowSums) <= Tolerance.instructionSets)
        #expect(relativeError(entropies, rowEntropies) <= Tolerance.instructionSets * 10)
    }
}
