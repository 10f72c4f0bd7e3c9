// A generation stopped after a step: all that another process needs to go on.
import Checkpoints
import Foundation
import TensorCore
import ZImageModel

/// The state of one image's denoising between two steps.
///
/// Written as safetensors: `latents` [channels, height, width], and for each layer with idle heads
/// the heads and what stands for them; the step and the request's fingerprint are in the metadata.
public struct DenoisingState {
    /// Steps that are done.
    public var step: Int
    /// [channels, height, width]
    public var latents: Tensor
    /// What the next steps depend on beside the latents; nil for latents from elsewhere.
    var fingerprint: String?
    /// Idle heads by evaluation (0 with the prompt, 1 with the negative prompt) and layer.
    var pruning: [[AttentionLayerIndex: HeadPruner.LayerState]]
    var thresholds: [Float?]

    private static let stepKey = "turbine.step"
    private static let fingerprintKey = "turbine.request"

    /// Writes the state; the file appears only when whole.
    public func write(to path: String) throws {
        var tensors = ["latents": latents]
        var metadata = [Self.stepKey: String(step)]
        metadata[Self.fingerprintKey] = fingerprint
        for (evaluation, layers) in pruning.enumerated() {
            for (index, state) in layers where !state.idleHeads.isEmpty {
                let prefix = "pruning.\(evaluation).\(index.stack.rawValue).\(index.layer)"
                tensors["\(prefix).idle_heads"] = Tensor(
                    state.idleHeads.map(Float.init), shape: [state.idleHeads.count])
                tensors["\(prefix).contribution"] = state.contribution.map {
                    Tensor($0, shape: [$0.count])
                }
            }
            if let threshold = thresholds[evaluation] {
                metadata["pruning.\(evaluation).threshold"] = String(threshold.bitPattern)
            }
        }
        try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
    }

    /// Reads a state, or bare latents that another program wrote (their step is 0).
    /// - Parameters:
    ///   - shape: what the latents' shape must be
    ///   - transformer: whose layers the pruning state is checked against
    /// - Throws: `CheckpointError` for a bad file, `GenerationError` for latents that do not fit.
    public init(path: String, shape: [Int], transformer: TransformerConfiguration) throws {
        let file = try SafetensorsFile(path: path)
        guard let stored = try file.tensor("latents") else {
            throw GenerationError(
                code: .invalidLatents, field: path, what: "has no tensor \"latents\"",
                remedy: "name a file that --latents-out wrote")
        }
        let bare = stored.shape.first == 1 ? Array(stored.shape.dropFirst()) : stored.shape
        guard bare == shape else {
            throw GenerationError(
                code: .invalidLatents, field: path,
                what: "has latents of shape \(stored.shape), but the request needs \(shape)",
                remedy: "use the width, height and model that they were made with")
        }
        latents = stored.reshaped(shape).asFloat32()
        guard latents.elements.allSatisfy(\.isFinite) else {
            throw GenerationError(
                code: .invalidLatents, field: path, what: "has latents that are not finite")
        }
        step = file.metadata[Self.stepKey].flatMap { Int($0) } ?? 0
        fingerprint = file.metadata[Self.fingerprintKey]
        pruning = [[:], [:]]
        thresholds = [nil, nil]
        for evaluation in 0..<2 {
            thresholds[evaluation] = file.metadata["pruning.\(evaluation).threshold"].flatMap {
                UInt32($0).map(Float.init(bitPattern:))
            }
            pruning[evaluation] = try Self.pruning(file, evaluation, transformer)
        }
    }

    init(
        step: Int, latents: Tensor, fingerprint: String?,
        pruning: [[AttentionLayerIndex: HeadPruner.LayerState]], thresholds: [Float?]
    ) {
        self.step = step
        self.latents = latents
        self.fingerprint = fingerprint
        self.pruning = pruning
        self.thresholds = thresholds
    }

    private static func pruning(
        _ file: SafetensorsFile, _ evaluation: Int, _ transformer: TransformerConfiguration
    ) throws -> [AttentionLayerIndex: HeadPruner.LayerState] {
        var layers: [AttentionLayerIndex: HeadPruner.LayerState] = [:]
        for (stack, count) in [
            (AttentionLayerIndex.Stack.noiseRefiner, transformer.refinerLayerCount),
            (.main, transformer.layerCount),
        ] {
            for layer in 0..<count {
                let prefix = "pruning.\(evaluation).\(stack.rawValue).\(layer)"
                guard let heads = try file.tensor("\(prefix).idle_heads") else { continue }
                let idle = heads.asFloat32().elements.compactMap { Int(exactly: $0) }
                let contribution = try file.tensor("\(prefix).contribution")?.asFloat32().elements
                let ascending = zip(idle, idle.dropFirst()).allSatisfy { $0 < $1 }
                guard idle.count == heads.count, ascending,
                    idle.allSatisfy((0..<transformer.headCount).contains),
                    (contribution?.count ?? transformer.width) == transformer.width
                else {
                    throw GenerationError(
                        code: .invalidLatents, field: file.path,
                        what: "has idle heads that the model does not have",
                        remedy: "use the model that the latents were made with")
                }
                layers[AttentionLayerIndex(stack, layer)] = HeadPruner.LayerState(
                    idleHeads: idle, contribution: contribution)
            }
        }
        return layers
    }
}
