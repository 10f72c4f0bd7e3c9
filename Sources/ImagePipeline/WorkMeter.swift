// How much arithmetic a generation took, and how much pruning spared.
import ZImageModel

/// Multiply-adds of a transformer evaluation, by what pruning can spare.
struct EvaluationWork {
    /// Scores and weighted sums of one head, over all gated layers of its stack.
    private let attentionPerHead: [AttentionLayerIndex.Stack: Double]
    /// Query, key, value and output projections of one head.
    private let projectionPerHead: [AttentionLayerIndex.Stack: Double]
    let attention: Double
    let total: Double

    init(configuration: TransformerConfiguration, grid: PatchGrid, captionLength: Int) {
        func padded(_ count: Int) -> Double { Double((count + 31) / 32 * 32) }
        let (image, caption) = (padded(grid.count), padded(captionLength))
        let d = Double(configuration.headDimension)
        let width = Double(configuration.width)
        let rows: [AttentionLayerIndex.Stack: Double] = [
            .noiseRefiner: image, .main: image + caption,
        ]
        attentionPerHead = rows.mapValues { 2 * $0 * $0 * d }
        projectionPerHead = rows.mapValues { 4 * $0 * width * d }
        let heads = Double(configuration.headCount)
        let counts: [AttentionLayerIndex.Stack: Double] = [
            .noiseRefiner: Double(configuration.refinerLayerCount),
            .main: Double(configuration.layerCount),
        ]
        var (attention, other) = (0.0, 0.0)
        for (stack, layers) in counts {
            attention += layers * heads * (attentionPerHead[stack]! + projectionPerHead[stack]!)
            other += layers * 3 * rows[stack]! * width * Double(configuration.feedForwardWidth)
        }
        self.attention = attention
        total = attention + other + 2 * image * width * Double(configuration.patchWidth)
    }

    /// The work of idle heads: scores, sums and the projections to queries, keys and values. Their
    /// kept outputs still go through the output projection.
    func spared(_ idleHeads: [AttentionLayerIndex: Int]) -> Double {
        idleHeads.reduce(0) { sum, entry in
            let stack = entry.key.stack
            let perHead = attentionPerHead[stack]! + 0.75 * projectionPerHead[stack]!
            return sum + Double(entry.value) * perHead
        }
    }
}

/// What pruning did over a generation.
public struct PruningReport: Sendable, Equatable, Codable {
    /// Share of the attention layers' multiply-adds that was skipped, projections included.
    public var attentionSaved: Double
    /// Share of all the transformer's multiply-adds.
    public var workSaved: Double
    /// Share of the denoising time, estimated from the steps with and without pruning; nil when
    /// there were not both.
    public var timeSaved: Double?
    /// Entropy in nats at or below which heads were idle, at the last judgement.
    public var threshold: Float?
    /// Heads skipped after the last judgement, of all.
    public var idleHeads: Int
    public var heads: Int
}

/// Adds up the work of the steps of a generation.
struct WorkMeter {
    private var attention = 0.0
    private var total = 0.0
    private var spared = 0.0
    private var fullSeconds: [Double] = []
    private var prunedSeconds: [Double] = []

    mutating func add(evaluation: EvaluationWork, pruner: HeadPruner?, isJudging: Bool) {
        attention += evaluation.attention
        total += evaluation.total
        if let pruner, !isJudging { spared += evaluation.spared(pruner.idleHeadCounts) }
    }

    mutating func addStep(seconds: Double, isPruned: Bool) {
        if isPruned { prunedSeconds.append(seconds) } else { fullSeconds.append(seconds) }
    }

    func report(_ pruner: HeadPruner?, transformer: ZImageTransformer) -> PruningReport? {
        guard let pruner, total > 0 else { return nil }
        return PruningReport(
            attentionSaved: spared / attention, workSaved: spared / total, timeSaved: timeSaved,
            threshold: pruner.threshold.flatMap { $0.isFinite ? $0 : nil },
            idleHeads: pruner.idleHeadCounts.values.reduce(0, +),
            heads: transformer.gatedLayers.count * transformer.configuration.headCount)
    }

    private var timeSaved: Double? {
        guard !fullSeconds.isEmpty, !prunedSeconds.isEmpty else { return nil }
        let full = fullSeconds.sorted()[fullSeconds.count / 2]
        let hypothetical = full * Double(fullSeconds.count + prunedSeconds.count)
        let actual = (fullSeconds + prunedSeconds).reduce(0, +)
        return 1 - actual / hypothetical
    }
}
