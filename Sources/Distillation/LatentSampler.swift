// Many images at once from captions: for sample sheets, distillation targets and evaluation.
import Foundation
import TensorCore
import ZImageModel

/// A text encoder and a transformer with the schedule that they are sampled with.
struct LatentSampler {
    let textEncoder: Qwen3TextEncoder
    let transformer: ZImageTransformer
    let schedule: ScheduleConfiguration

    /// Guided velocities of several samples, as `ZImagePipeline` combines them: with guidance
    /// g > 0, v + g (v − v of the empty caption).
    ///
    /// - Parameters:
    ///   - latents: rows of patches of all samples, [samples · patches, patchWidth]
    ///   - captions: refined, from `captions(_:_:)`, for the same samples
    ///   - times: one a sample, 0 for noise to 1 for data
    /// - Returns: [samples · patches, patchWidth]
    func velocity(
        _ latents: Tensor, _ captions: RefinedCaptions, times: [Float],
        operations: EagerOperations, probe: CaptionAttention? = nil,
        onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        let gates = probe.map { probe in { probe.gate($0) } }
        guard captions.guidance > 0 else {
            return try transformer.velocity(
                patches: latents, captions: captions.tokens, times: times, plan: captions.plan,
                operations: operations, gates: gates, onBlock: onBlock)
        }
        let rows = latents.shape[0]
        let twice = operations.gatherRows([latents], [(0, 0..<rows), (0, 0..<rows)])
        let both = try transformer.velocity(
            patches: twice, captions: captions.tokens, times: times + times,
            plan: captions.plan, operations: operations, gates: gates, onBlock: onBlock)
        let (with, without) = (both.rows(0..<rows), both.rows(rows..<2 * rows))
        return operations.add(
            operations.affine(with, scale: 1 + captions.guidance, offset: 0),
            operations.affine(without, scale: -captions.guidance, offset: 0))
    }

    /// Captions ready for the transformer; with guidance the empty one once a sample behind them.
    struct RefinedCaptions {
        let tokens: Tensor
        let plan: SequencePlan
        let guidance: Float
    }

    /// - Parameters:
    ///   - ids: token ids of each sample's caption
    ///   - empty: token ids of the empty caption, for guidance
    func captions(
        _ ids: [[Int32]], empty: [Int32], guidance: Float, grid: PatchGrid,
        operations: EagerOperations
    ) throws -> RefinedCaptions {
        let all = guidance > 0 ? ids + Array(repeating: empty, count: ids.count) : ids
        let plan = SequencePlan(
            samples: all.map { (grid, $0.count) }, configuration: transformer.configuration)
        let features = try textEncoder.encode(all, operations: operations)
        let tokens = try transformer.refineCaptions(
            features, plan: plan, operations: operations)
        return RefinedCaptions(tokens: tokens, plan: plan, guidance: guidance)
    }

    /// Follows the velocity from noise to latents.
    ///
    /// - Parameter noises: [channels, height, width] each
    /// - Returns: latents as the transformer knows them, of the noises' shape
    func sample(
        _ ids: [[Int32]], empty: [Int32], noises: [Tensor], steps: Int, guidance: Float,
        operations: EagerOperations
    ) throws -> [Tensor] {
        let size = transformer.configuration.patchSize
        let shape = noises[0].shape
        let grid = PatchGrid(rows: shape[1] / size, columns: shape[2] / size)
        let captions = try captions(
            ids, empty: empty, guidance: guidance, grid: grid, operations: operations)
        let levels = FlowMatchSchedule(
            stepCount: steps, imageTokenCount: grid.count, configuration: schedule)
        let patches = noises.map { Patches.rows(of: $0, size: size) }
        var latents = operations.gatherRows(
            patches, patches.indices.map { ($0, 0..<grid.count) })
        for step in 0..<steps {
            let times = Array(repeating: levels.time(atStep: step), count: ids.count)
            let velocity = try velocity(latents, captions, times: times, operations: operations)
            latents = levels.advance(latents, velocity: velocity, step: step)
        }
        return patches.indices.map { index in
            Patches.image(
                from: latents.rows(index * grid.count..<(index + 1) * grid.count), grid: grid,
                size: size, channels: shape[0])
        }
    }
}
