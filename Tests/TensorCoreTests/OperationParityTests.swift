// Single operations against PyTorch's.
import TensorCore
import TestSupport
import Testing

@Suite struct OperationParityTests {
    let golden: GoldenData
    let operations = EagerOperations(pool: ThreadPool(threadCount: 2))

    init() throws {
        golden = try GoldenData(file: "operations")
    }

    private func expectMatch(_ actual: Tensor, _ name: String) throws {
        let error = relativeError(actual, try golden.tensor(name))
        #expect(error <= Tolerance.operation, "\(name): \(error)")
    }

    @Test func linear() throws {
        let output = operations.linear(
            try golden.tensor("linear.input"), weight: try golden.tensor("linear.weight"),
            bias: try golden.tensor("linear.bias"))
        try expectMatch(output, "linear.output")
    }

    @Test func norms() throws {
        let input = try golden.tensor("norm.input")
        let segments = Segments([2, 4])
        let rms = operations.rmsNorm(
            input, weight: try golden.tensor("norm.weight"), epsilon: 1e-5, scale: nil,
            segments: segments)
        try expectMatch(rms, "rms_norm.output")
        let layer = operations.layerNorm(input, epsilon: 1e-6, scale: nil, segments: segments)
        try expectMatch(layer, "layer_norm.output")
        let group = operations.groupNorm(
            try golden.tensor("group_norm.input"), groupCount: 4,
            weight: try golden.tensor("group_norm.weight"),
            bias: try golden.tensor("group_norm.bias"), epsilon: 1e-6, silu: false)
        try expectMatch(group, "group_norm.output")
    }

    @Test func silu() throws {
        try expectMatch(operations.silu(try golden.tensor("silu.input")), "silu.output")
    }

    @Test(arguments: ["full", "causal"]) func attention(_ kind: String) throws {
        // The reference's layout is [heads, tokens, d]; ours is [tokens, heads · d].
        func tokens(_ name: String) throws -> Tensor {
            Self.swappingHeads(try golden.tensor("attention.\(kind).\(name)"))
        }
        let (query, key, value) = (try tokens("query"), try tokens("key"), try tokens("value"))
        let layout = AttentionLayout(
            headCount: query.shape[1] / 16, keyValueHeadCount: key.shape[1] / 16,
            headDimension: 16, isCausal: kind == "causal", segments: Segments([query.shape[0]]))
        let output = operations.attention(
            query: query, key: key, value: value, layout: layout, measuringEntropy: false
        ).output
        let expected = try tokens("output")
        #expect(relativeError(output, expected) <= Tolerance.operation)
    }

    private static func swappingHeads(_ x: Tensor) -> Tensor {
        let (heads, rows, d) = (x.shape[0], x.shape[1], x.shape[2])
        let output = Tensor(uninitialized: [rows, heads * d])
        for head in 0..<heads {
            for row in 0..<rows {
                (output.floats + row * heads * d + head * d).update(
                    from: x.floats + (head * rows + row) * d, count: d)
            }
        }
        return output
    }

    @Test func convolutions() throws {
        let input = try golden.tensor("conv.input")
        let bias = try golden.tensor("conv.bias")
        for (name, weight, geometry) in [
            ("stride1", "conv.weight", ConvolutionGeometry.same3),
            ("stride2", "conv.weight", .halving3),
            ("pointwise", "conv.pointwise.weight", .pointwise),
        ] {
            let output = operations.convolution(
                input, weight: try golden.tensor(weight), bias: bias, geometry: geometry)
            try expectMatch(output, "conv.\(name).output")
        }
    }

    @Test func upsampling() throws {
        try expectMatch(
            operations.upsample2(try golden.tensor("upsample.input")), "upsample.output")
    }
}
