// The text encoder: token ids → hidden states.
import Foundation
import NeuralLayers
import TensorCore

/// The Qwen3 decoder stack used as an encoder.
///
/// Source: transformers `modeling_qwen3.py`. The pipeline takes `hidden_states[-2]`: the input of
/// the last layer, without the final norm, so the last layer never runs.
public struct Qwen3TextEncoder {
    /// One pre-norm transformer layer.
    struct Layer {
        let inputNorm: RMSNorm
        let attention: SelfAttention
        let postAttentionNorm: RMSNorm
        let feedForward: GatedFeedForward
    }

    public let configuration: Qwen3Configuration
    /// [vocabulary, hidden]
    let embeddings: Tensor
    let layers: [Layer]

    public init(_ scope: ParameterScope, _ configuration: Qwen3Configuration) throws {
        self.configuration = configuration
        let hidden = configuration.hiddenSize
        embeddings = try scope.tensor(
            "embed_tokens.weight", [configuration.vocabularySize, hidden])
        layers = try (0..<configuration.layerCount).map {
            try Self.layer(scope.scope("layers", $0), configuration)
        }
        _ = try scope.tensor("norm.weight", [hidden])
    }

    private static func layer(
        _ scope: ParameterScope, _ configuration: Qwen3Configuration
    ) throws -> Layer {
        let hidden = configuration.hiddenSize
        let d = configuration.headDimension
        let attention = scope.scope("self_attn")
        let bias = configuration.hasAttentionBias
        let queryWidth = configuration.headCount * d
        let keyWidth = configuration.keyValueHeadCount * d
        let mlp = scope.scope("mlp")
        let inner = configuration.intermediateSize
        func norm(_ name: String) throws -> RMSNorm {
            try RMSNorm(scope.scope(name), width: hidden, epsilon: configuration.normEpsilon)
        }
        func project(
            _ scope: ParameterScope, _ name: String, _ inputs: Int, _ outputs: Int, bias: Bool
        ) throws -> Linear {
            try Linear(scope.scope(name), inputs: inputs, outputs: outputs, hasBias: bias)
        }
        return Layer(
            inputNorm: try norm("input_layernorm"),
            attention: SelfAttention(
                query: try project(attention, "q_proj", hidden, queryWidth, bias: bias),
                key: try project(attention, "k_proj", hidden, keyWidth, bias: bias),
                value: try project(attention, "v_proj", hidden, keyWidth, bias: bias),
                output: try project(attention, "o_proj", queryWidth, hidden, bias: bias),
                queryNorm: try attention.tensor("q_norm.weight", [d]),
                keyNorm: try attention.tensor("k_norm.weight", [d]),
                headCount: configuration.headCount,
                keyValueHeadCount: configuration.keyValueHeadCount, headDimension: d,
                normEpsilon: configuration.normEpsilon, isCausal: true),
            postAttentionNorm: try norm("post_attention_layernorm"),
            feedForward: GatedFeedForward(
                gate: try project(mlp, "gate_proj", hidden, inner, bias: false),
                up: try project(mlp, "up_proj", hidden, inner, bias: false),
                down: try project(mlp, "down_proj", inner, hidden, bias: false)))
    }

    /// Encodes token sequences.
    ///
    /// - Parameters:
    ///   - sequences: token ids, each below the vocabulary size
    ///   - onBlock: see `BlockObserver`; names are `text_encoder.layers.N`
    /// - Returns: [tokens of all sequences, hidden]
    public func encode(
        _ sequences: [[Int32]], operations: some TensorOperations,
        onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        let segments = Segments(sequences.map(\.count))
        let rotary = rotaryTable(sequences.map(\.count))
        var x = operations.embedding(sequences.flatMap { $0 }, table: embeddings)
        for (index, layer) in layers.dropLast().enumerated() {
            let normalized = layer.inputNorm(x, segments: segments, operations)
            let attended = layer.attention(
                normalized, rotary: rotary, segments: segments, operations)
            x = operations.add(x, attended)
            let update = layer.feedForward(
                layer.postAttentionNorm(x, segments: segments, operations), operations)
            x = operations.add(x, update)
            try onBlock?("text_encoder.layers.\(index)", x)
        }
        return x
    }

    /// Angles position · θ^(−2i/d) in float32, as the reference computes them.
    private func rotaryTable(_ lengths: [Int]) -> RotaryTable {
        let half = configuration.headDimension / 2
        let frequencies = (0..<half).map { i in
            1 / powf(configuration.ropeTheta, Float(2 * i) / Float(configuration.headDimension))
        }
        var (cosines, sines) = ([Float](), [Float]())
        for length in lengths {
            for position in 0..<length {
                for frequency in frequencies {
                    let angle = Float(position) * frequency
                    cosines.append(cosf(angle))
                    sines.append(sinf(angle))
                }
            }
        }
        let shape = [lengths.reduce(0, +), half]
        return RotaryTable(
            cosines: Tensor(cosines, shape: shape), sines: Tensor(sines, shape: shape),
            isInterleaved: false)
    }
}
