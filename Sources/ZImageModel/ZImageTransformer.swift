// The diffusion transformer: noisy patches, a caption and a time → a velocity.
import Foundation
import NeuralLayers
import TensorCore

/// Which of the attention layers a head gate is for.
public struct AttentionLayerIndex: Sendable, Hashable {
    public enum Stack: Int, Sendable { case noiseRefiner, contextRefiner, main }
    public let stack: Stack
    public let layer: Int

    public init(_ stack: Stack, _ layer: Int) {
        self.stack = stack
        self.layer = layer
    }
}

/// The single-stream diffusion transformer of Z-Image (S3-DiT).
///
/// Source: `ZImageTransformer2DModel` in diffusers' `transformer_z_image.py`.
public struct ZImageTransformer {
    public let configuration: TransformerConfiguration
    let timeEmbedding1: Linear
    let timeEmbedding2: Linear
    let patchEmbedding: Linear
    let captionNorm: RMSNorm
    let captionEmbedding: Linear
    /// [1, width]
    let patchPadding: Tensor
    let captionPadding: Tensor
    let noiseRefiner: [TransformerBlock]
    let contextRefiner: [TransformerBlock]
    let layers: [TransformerBlock]
    let finalModulation: Linear
    let finalProjection: Linear

    public init(_ scope: ParameterScope, _ configuration: TransformerConfiguration) throws {
        self.configuration = configuration
        let width = configuration.width
        let key = "\(configuration.patchSize)-1"
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
            try Linear(scope.scope(name), inputs: inputs, outputs: outputs, hasBias: true)
        }
        func stack(_ name: String, _ count: Int, isModulated: Bool) throws -> [TransformerBlock] {
            try (0..<count).map {
                try TransformerBlock(
                    scope.scope(name, $0), configuration, isModulated: isModulated)
            }
        }
        timeEmbedding1 = try linear("t_embedder.mlp.0", Self.frequencyCount, 1024)
        timeEmbedding2 = try linear("t_embedder.mlp.2", 1024, configuration.timeWidth)
        patchEmbedding = try linear("all_x_embedder.\(key)", configuration.patchWidth, width)
        captionNorm = try RMSNorm(
            scope.scope("cap_embedder.0"), width: configuration.captionWidth,
            epsilon: configuration.normEpsilon)
        captionEmbedding = try linear("cap_embedder.1", configuration.captionWidth, width)
        patchPadding = try scope.tensor("x_pad_token", [1, width]).asFloat32()
        captionPadding = try scope.tensor("cap_pad_token", [1, width]).asFloat32()
        let refiners = configuration.refinerLayerCount
        noiseRefiner = try stack("noise_refiner", refiners, isModulated: true)
        contextRefiner = try stack("context_refiner", refiners, isModulated: false)
        layers = try stack("layers", configuration.layerCount, isModulated: true)
        let final = "all_final_layer.\(key)"
        finalModulation = try linear(
            "\(final).adaLN_modulation.1", configuration.timeWidth, width)
        finalProjection = try linear("\(final).linear", width, configuration.patchWidth)
    }

    private static let frequencyCount = 256

    /// The velocity field at each sample's time.
    ///
    /// - Parameters:
    ///   - patches: rows of all samples' patches (`Patches.rows`), [patches, patchWidth]
    ///   - captions: rows of all samples' caption features, [tokens, captionWidth]
    ///   - times: one a sample, 0 for noise to 1 for data
    ///   - plan: made for the same grids and caption lengths
    ///   - gates: head pruning by layer, or nil
    ///   - onBlock: see `BlockObserver`
    /// - Returns: [patches, patchWidth], data minus noise
    public func velocity(
        patches: Tensor, captions: Tensor, times: [Float], plan: SequencePlan,
        operations: some TensorOperations,
        gates: ((AttentionLayerIndex) -> (any HeadGate)?)? = nil,
        onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        precondition(patches.shape == [plan.patchCount, configuration.patchWidth])
        precondition(captions.shape == [plan.captionCount, configuration.captionWidth])
        let time = embed(times: times, operations)
        try onBlock?("transformer.t_embedder", time)

        var image = patchEmbedding(patches, operations)
        try onBlock?("transformer.x_embedder", image)
        image = operations.gatherRows([image, patchPadding], plan.imagePieces)
        func run(
            _ blocks: [TransformerBlock], _ stack: AttentionLayerIndex.Stack, _ name: String,
            _ input: Tensor, _ rotary: RotaryTable, _ segments: Segments
        ) throws -> Tensor {
            var x = input
            for (index, block) in blocks.enumerated() {
                x = block(
                    x, time: time, rotary: rotary, segments: segments,
                    gate: gates?(AttentionLayerIndex(stack, index)), operations)
                try onBlock?("transformer.\(name).\(index)", x)
            }
            return x
        }
        image = try run(
            noiseRefiner, .noiseRefiner, "noise_refiner", image, plan.imageRotary,
            plan.imageSegments)

        let captionTokens = Segments([plan.captionCount])
        var caption = captionEmbedding(
            captionNorm(captions, segments: captionTokens, operations), operations)
        try onBlock?("transformer.cap_embedder", caption)
        caption = operations.gatherRows([caption, captionPadding], plan.captionPieces)
        caption = try run(
            contextRefiner, .contextRefiner, "context_refiner", caption, plan.captionRotary,
            plan.captionSegments)

        var joint = operations.gatherRows([image, caption], plan.jointPieces)
        joint = try run(
            layers, .main, "layers", joint, plan.jointRotary, plan.jointSegments)
        return finalLayer(joint, time: time, plan: plan, operations)
    }

    /// Only the rows of patches go through the final layer.
    private func finalLayer(
        _ joint: Tensor, time: Tensor, plan: SequencePlan, _ operations: some TensorOperations
    ) -> Tensor {
        let rows = operations.gatherRows([joint], plan.patchPieces)
        let scale = operations.affine(
            finalModulation(operations.silu(time), operations), scale: 1, offset: 1)
        let normalized = operations.layerNorm(
            rows, epsilon: 1e-6, scale: scale,
            segments: Segments(plan.patchPieces.map(\.rows.count)))
        return finalProjection(normalized, operations)
    }

    /// Sinusoidal embedding of the scaled time (cosines, then sines) through two layers;
    /// [samples, timeWidth].
    private func embed(times: [Float], _ operations: some TensorOperations) -> Tensor {
        let half = Self.frequencyCount / 2
        let frequencies = (0..<half).map { i in
            expf(Float(-log(10000.0)) * Float(i) / Float(half))
        }
        let values = times.flatMap { time -> [Float] in
            let angles = frequencies.map { time * configuration.timeScale * $0 }
            return angles.map { cosf($0) } + angles.map { sinf($0) }
        }
        let embedded = Tensor(values, shape: [times.count, Self.frequencyCount])
        let hidden = operations.silu(timeEmbedding1(embedded, operations))
        return timeEmbedding2(hidden, operations)
    }
}
