// Dynamic attention pruning: which heads of which layers run at a step.
import NeuralLayers
import TensorCore
import ZImageModel

/// Judges attention heads by the entropy of their weights and skips the idle ones.
///
/// One pruner belongs to one sequence of transformer evaluations (a generation has one, or two with
/// guidance). At a judging step all heads run and are measured; at the steps that follow, idle heads
/// are left out, their projections included, and the mean of their last output stands for them. The
/// means are a few kilobytes, so a stopped generation can take them along and go on bit by bit the
/// same; whole outputs would be as large as the activations of every layer.
final class HeadPruner {
    /// How an idle head's contribution is replaced.
    enum Replacement: Sendable {
        case zero
        /// The head's output averaged over the rows of the judging step.
        case mean
    }

    /// What is known of one layer between judgements.
    struct LayerState: Equatable {
        var idleHeads: [Int]
        /// [width]: what stands for the idle heads in the layer's output; nil for zero.
        var contribution: [Float]?
    }

    let options: PruningOptions
    let replacement: Replacement
    private let headCount: Int
    private let operations: any TensorOperations
    private(set) var layers: [AttentionLayerIndex: LayerState] = [:]
    private var gates: [AttentionLayerIndex: Gate] = [:]
    private(set) var isJudging = false
    /// The threshold in force, in nats; nil before the first judgement.
    private(set) var threshold: Float?

    init(
        options: PruningOptions, transformer: ZImageTransformer, operations: any TensorOperations,
        replacement: Replacement = .mean
    ) {
        self.options = options
        self.operations = operations
        self.replacement = replacement
        headCount = transformer.configuration.headCount
        for index in transformer.gatedLayers {
            layers[index] = LayerState(idleHeads: [])
            gates[index] = Gate(pruner: self, index: index, headCount: headCount)
        }
    }

    /// Call before an evaluation.
    func beginStep(_ step: Int) {
        isJudging = step % options.judgingInterval == 0
    }

    func gate(_ index: AttentionLayerIndex) -> (any HeadGate)? { gates[index] }

    /// Call after an evaluation: at a judging step, decides which heads are idle from now on.
    func endStep() {
        guard isJudging else { return }
        let all = gates.values.compactMap(\.measured?.entropies).flatMap { $0 }
        let limit = Self.threshold(options.criterion, entropies: all)
        threshold = limit
        for (index, gate) in gates {
            guard let measured = gate.measured else { continue }
            let idle = (0..<headCount).filter { measured.entropies[$0] <= limit }
            layers[index] = LayerState(
                idleHeads: idle, contribution: contribution(of: idle, measured))
            gate.measured = nil
        }
        isJudging = false
    }

    /// The entropy at or below which heads are idle: the one stated, or that of the last head of the
    /// wanted share when all are ranked.
    static func threshold(_ criterion: PruningOptions.Criterion, entropies: [Float]) -> Float {
        switch criterion {
        case .threshold(let value): return value
        case .share(let share):
            let count = Int((share * Float(entropies.count)).rounded())
            return count == 0 ? -.infinity : entropies.sorted()[count - 1]
        }
    }

    private func contribution(of idle: [Int], _ measured: Gate.Measured) -> [Float]? {
        guard replacement == .mean, !idle.isEmpty else { return nil }
        let d = measured.headDimension
        let means = idle.flatMap { measured.means[$0 * d..<($0 + 1) * d] }
        let selection = BlockSelection(blockSize: d, kept: idle)
        return operations.linear(
            Tensor(means, shape: [1, means.count]), weight: measured.projection.weight, bias: nil,
            keptOutputs: nil, keptInputs: selection
        ).elements
    }

    /// Heads skipped at this step, over all layers.
    var idleHeadCount: Int {
        isJudging ? 0 : layers.values.reduce(0) { $0 + $1.idleHeads.count }
    }

    /// Takes over what another pruner knew, to go on where it stopped.
    func restore(_ states: [AttentionLayerIndex: LayerState]) {
        for (index, state) in states where layers[index] != nil { layers[index] = state }
    }

    /// One layer's view of the pruner.
    private final class Gate: HeadGate {
        struct Measured {
            let entropies: [Float]
            /// Means over rows of each column of the head outputs.
            let means: [Float]
            let projection: Linear
            let headDimension: Int
        }

        unowned let pruner: HeadPruner
        let index: AttentionLayerIndex
        let headCount: Int
        var measured: Measured?

        init(pruner: HeadPruner, index: AttentionLayerIndex, headCount: Int) {
            self.pruner = pruner
            self.index = index
            self.headCount = headCount
        }

        private var state: LayerState { pruner.layers[index]! }

        var isMeasuring: Bool { pruner.isJudging }

        var activeHeads: [Int]? {
            guard !pruner.isJudging, !state.idleHeads.isEmpty else { return nil }
            let idle = Set(state.idleHeads)
            return (0..<headCount).filter { !idle.contains($0) }
        }

        var idleContribution: Tensor? {
            state.contribution.map { Tensor($0, shape: [1, $0.count]) }
        }

        func observe(
            entropies: [Float], headOutputs: Tensor, outputProjection: Linear, headDimension: Int
        ) {
            measured = Measured(
                entropies: entropies, means: Self.columnMeans(headOutputs),
                projection: outputProjection, headDimension: headDimension)
        }

        private static func columnMeans(_ x: Tensor) -> [Float] {
            let (rows, width) = (x.shape[0], x.shape[1])
            var sums = [Double](repeating: 0, count: width)
            for row in 0..<rows {
                let values = x.floats + row * width
                for column in 0..<width { sums[column] += Double(values[column]) }
            }
            return sums.map { Float($0 / Double(max(rows, 1))) }
        }
    }
}

extension ZImageTransformer {
    /// The attention layers that run at every step.
    var gatedLayers: [AttentionLayerIndex] {
        (0..<configuration.refinerLayerCount).map { AttentionLayerIndex(.noiseRefiner, $0) }
            + (0..<configuration.layerCount).map { AttentionLayerIndex(.main, $0) }
    }
}
