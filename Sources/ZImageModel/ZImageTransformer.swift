// The diffusion transformer: noisy patches, a caption and a time → a velocity.
import Foundation
import NeuralLayers
import TensorCore

/// Which of the time-dependent attention layers a head gate is for.
public struct AttentionLayerIndex: Sendable, Hashable {
    public enum Stack: String, Sendable { case noiseRefiner = "noise_refiner", main = "layers" }
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

    /// Caption features as the main layers take them. They depend on neither time nor image, so one
    /// call serves all steps.
    ///
    /// - Parameter captions: rows of all samples' caption features, [tokens, captionWidth]
    /// - Returns: [padded tokens, width]
    public func refineCaptions(
        _ captions: Tensor, plan: SequencePlan, operations: some TensorOperations,
        onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        precondition(captions.shape == [plan.captionCount, configuration.captionWidth])
        let tokens = Segments([plan.captionCount])
        let embedded = captionEmbedding(
            captionNorm(captions, segments: tokens, operations), operations)
        try onBlock?("transformer.cap_embedder", embedded)
        var x = operations.gatherRows([embedded, captionPadding], plan.captionPieces)
        for (index, block) in contextRefiner.enumerated() {
            x = block(
                x, time: nil, rotary: plan.captionRotary, segments: plan.captionSegments,
                gate: nil, operations)
            try onBlock?("transformer.context_refiner.\(index)", x)
        }
        return x
    }

    /// The velocity field at each sample's time.
    ///
    /// - Parameters:
    ///   - patches: rows of all samples' patches (`Patches.rows`), [patches, patchWidth]
    ///   - captions: from `refineCaptions`
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
        let time = embed(times: times, operations)
        try onBlock?("transformer.t_embedder", time)
        var image = patchEmbedding(patches, operations)
        try onBlock?("transformer.x_embedder", image)
        image = operations.gatherRows([image, patchPadding], plan.imagePieces)
        for (index, block) in noiseRefiner.enumerated() {
            image = block(
                image, time: time, rotary: plan.imageRotary, segments: plan.imageSegments,
                gate: gates?(AttentionLayerIndex(.noiseRefiner, index)), operations)
            try onBlock?("transformer.noise_refiner.\(index)", image)
        }
        var joint = operations.gatherRows([image, captions], plan.jointPieces)
        for (index, block) in layers.enumerated() {
            joint = block(
                joint, time: time, rotary: plan.jointRotary, segments: plan.jointSegments,
                gate: gates?(AttentionLayerIndex(.main, index)), operations)
            try onBlock?("transformer.layers.\(index)", joint)
        }
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
