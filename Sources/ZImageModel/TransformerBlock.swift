// The block that the diffusion transformer repeats.
import NeuralLayers
import TensorCore

/// Attention and feed-forward, each with a norm before and after, and, when modulated, a scale and a
/// gate from the time embedding.
///
/// Source: `ZImageTransformerBlock` in diffusers' `transformer_z_image.py`.
struct TransformerBlock {
    let attention: SelfAttention
    let feedForward: GatedFeedForward
    let attentionNorm1: RMSNorm
    let attentionNorm2: RMSNorm
    let feedForwardNorm1: RMSNorm
    let feedForwardNorm2: RMSNorm
    /// [4 · width, timeWidth]: scale and gate of attention, then of the feed-forward.
    let modulation: Linear?

    init(
        _ scope: ParameterScope, _ configuration: TransformerConfiguration, isModulated: Bool
    ) throws {
        let width = configuration.width
        let inner = configuration.attentionWidth
        let hidden = configuration.feedForwardWidth
        let attentionScope = scope.scope("attention")
        let feedForwardScope = scope.scope("feed_forward")
        func linear(
            _ scope: ParameterScope, _ name: String, _ inputs: Int, _ outputs: Int
        ) throws -> Linear {
            try Linear(scope.scope(name), inputs: inputs, outputs: outputs, hasBias: false)
        }
        func headNorm(_ name: String) throws -> Tensor? {
            guard configuration.hasQueryKeyNorm else { return nil }
            return try attentionScope.tensor("\(name).weight", [configuration.headDimension])
        }
        func norm(_ name: String) throws -> RMSNorm {
            try RMSNorm(scope.scope(name), width: width, epsilon: configuration.normEpsilon)
        }
        attention = SelfAttention(
            query: try linear(attentionScope, "to_q", width, inner),
            key: try linear(attentionScope, "to_k", width, inner),
            value: try linear(attentionScope, "to_v", width, inner),
            output: try linear(attentionScope, "to_out.0", inner, width),
            queryNorm: try headNorm("norm_q"), keyNorm: try headNorm("norm_k"),
            headCount: configuration.headCount, keyValueHeadCount: configuration.headCount,
            headDimension: configuration.headDimension,
            // The reference fixes this one, whatever norm_eps says.
            normEpsilon: 1e-5, isCausal: false)
        feedForward = GatedFeedForward(
            gate: try linear(feedForwardScope, "w1", width, hidden),
            up: try linear(feedForwardScope, "w3", width, hidden),
            down: try linear(feedForwardScope, "w2", hidden, width))
        attentionNorm1 = try norm("attention_norm1")
        attentionNorm2 = try norm("attention_norm2")
        feedForwardNorm1 = try norm("ffn_norm1")
        feedForwardNorm2 = try norm("ffn_norm2")
        modulation =
            isModulated
            ? try Linear(
                scope.scope("adaLN_modulation.0"), inputs: configuration.timeWidth,
                outputs: 4 * width, hasBias: true)
            : nil
    }

    /// - Parameters:
    ///   - x: [rows, width]
    ///   - time: [sequences, timeWidth]; nil when the block is not modulated
    /// - Returns: [rows, width]
    func callAsFunction(
        _ x: Tensor, time: Tensor?, rotary: RotaryTable, segments: Segments,
        gate: (any HeadGate)?, _ operations: some TensorOperations
    ) -> Tensor {
        precondition((modulation == nil) == (time == nil))
        let modulated = modulation.map { Modulation($0(time!, operations), operations) }
        let attended = attention(
            attentionNorm1(
                x, scale: modulated?.attentionScale, segments: segments, operations),
            rotary: rotary, segments: segments, gate: gate, operations)
        let afterAttention = operations.gatedAdd(
            x, attentionNorm2(attended, segments: segments, operations),
            gate: modulated?.attentionGate, segments: segments)
        let update = feedForward(
            feedForwardNorm1(
                afterAttention, scale: modulated?.feedForwardScale, segments: segments, operations),
            operations)
        return operations.gatedAdd(
            afterAttention, feedForwardNorm2(update, segments: segments, operations),
            gate: modulated?.feedForwardGate, segments: segments)
    }

    /// The four modulation vectors of each sequence, [sequences, width] each.
    private struct Modulation {
        let attentionScale: Tensor
        let attentionGate: Tensor
        let feedForwardScale: Tensor
        let feedForwardGate: Tensor

        init(_ values: Tensor, _ operations: some TensorOperations) {
            let width = values.shape[1] / 4
            func part(_ index: Int) -> Tensor {
                operations.columns(values, index * width..<(index + 1) * width)
            }
            attentionScale = operations.affine(part(0), scale: 1, offset: 1)
            attentionGate = operations.tanh(part(1))
            feedForwardScale = operations.affine(part(2), scale: 1, offset: 1)
            feedForwardGate = operations.tanh(part(3))
        }
    }
}
