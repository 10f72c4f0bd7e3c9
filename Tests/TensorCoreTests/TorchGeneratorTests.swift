// Noise against `torch.randn`.
import TensorCore
import TestSupport
import Testing

@Suite struct TorchGeneratorTests {
    @Test func normalsEqualTorch() throws {
        let golden = try GoldenData(file: "noise")
        #expect(golden.names.count > 50)
        for name in golden.names {
            // noise.seed<SEED>.<shape>
            let seed = UInt64(name.split(separator: ".")[1].dropFirst(4))
            let expected = try golden.tensor(name)
            var generator = TorchGenerator(seed: try #require(seed))
            let values = generator.normals(expected.count)
            let error = zip(values, expected.elements).map { abs($0 - $1) }.max() ?? 0
            #expect(error <= Tolerance.noise * 4, "\(name): \(error)")
        }
    }

    @Test func onlyTheLowBitsOfASeedMatter() {
        var (a, b) = (TorchGenerator(seed: 7), TorchGenerator(seed: 7 + 1 << 32))
        #expect((0..<100).allSatisfy { _ in a.next() == b.next() })
    }
}
