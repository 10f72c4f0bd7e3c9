// Dynamic attention pruning: which heads of which layers run at a step.
import NeuralLayers
import TensorCore
import ZImageModel

/// Judges attention heads by the entropy of their weights and skips the idle ones.
///
/// One pruner belongs to one sequence of transformer evaluations (a generation has one, or two with
/// guidance). At a judging step all heads run and are measured; at the steps that follow, idle heads
/// are left out, their projections included, and their last outputs stand for them. Those are kept
/// in bfloat16, only for idle heads. A stopped generation does not carry them along: it repeats the
/// judging step, which gives the same outputs bit for bit.
final class HeadPruner {
    /// What stands for an idle head's output.
    enum Replacement: Sendable {
        /// Nothing; for comparison.
        case zero
        /// The head's output at the judging step.
        case reuse
    }

    /// What is known of one layer between judgements.
    private struct LayerState {
        var activeHeads: BlockSelection
        /// [rows, idle heads · d]
        var idleOutputs: Tensor?
    }

    let options: PruningOptions
    let replacement: Replacement
    private let headCount: Int
    private let headDimension: Int
    private let operations: any TensorOperations
    private var layers: [AttentionLayerIndex: LayerState] = [:]
    private var gates: [AttentionLayerIndex: Gate] = [:]
    /// Of the judging step under way: entropies by layer, and outputs [rows, d] by layer and head.
    private var entropies: [AttentionLayerIndex: [Float]] = [:]
    private var candidates: [AttentionLayerIndex: [Int: Tensor]] = [:]
    private(set) var isJudging = false
    /// The threshold in force, in nats; nil before the first judgement.
    private(set) var threshold: Float?

    init(
        options: PruningOptions, transformer: ZImageTransformer, operations: any TensorOperations,
        replacement: Replacement = .reuse
    ) {
        self.options = options
        self.operations = operations
        self.replacement = replacement
        headCount = transformer.configuration.headCount
        headDimension = transformer.configuration.headDimension
        for index in transformer.gatedLayers {
            gates[index] = Gate(pruner: self, index: index)
        }
    }

    /// Whether heads are judged at a step.
    func judges(atStep step: Int) -> Bool { step % options.judgingInterval == 0 }

    /// Call before an evaluation.
    func beginStep(_ step: Int) {
        isJudging = judges(atStep: step)
        // What a judgement replaces is not needed while it is made.
        if isJudging { (layers, entropies, candidates) = ([:], [:], [:]) }
    }

    func gate(_ index: AttentionLayerIndex) -> (any HeadGate)? { gates[index] }

    /// Call after an evaluation: at a judging step, decides which heads are idle from now on.
    func endStep() {
        guard isJudging else { return }
        isJudging = false
        dropCandidates()
        threshold = limit
        for (index, outputs) in candidates where !outputs.isEmpty {
            let idle = outputs.keys.sorted()
            let all = BlockSelection(blockSize: headDimension, kept: idle)
            layers[index] = LayerState(
                activeHeads: all.complement(of: headCount),
                idleOutputs: replacement == .reuse ? Self.packed(idle.map { outputs[$0]! }) : nil)
        }
        candidates = [:]
        entropies = [:]
    }

    /// Takes in one layer's measurement. Outputs are kept only of heads that can still be idle: those
    /// at or below the threshold, or among the lowest so far of as many as the share allows.
    fileprivate func observe(_ index: AttentionLayerIndex, _ values: [Float], _ outputs: Tensor) {
        entropies[index] = values
        let limit = limit
        for head in 0..<headCount where values[head] <= limit {
            let column = BlockSelection(blockSize: headDimension, kept: [head])
            candidates[index, default: [:]][head] = operations.selectBlocks(outputs, column)
                .converted(to: .bfloat16)
        }
        dropCandidates()
    }

    /// The entropy at or below which the heads measured so far are idle.
    private var limit: Float {
        Self.threshold(
            options.criterion, entropies: entropies.values.flatMap { $0 },
            headCount: gates.count * headCount)
    }

    private func dropCandidates() {
        let limit = limit
        for (index, values) in entropies {
            candidates[index] = candidates[index]?.filter { values[$0.key] <= limit }
        }
    }

    /// The entropy at or below which heads are idle: the one stated, or that of the last head of the
    /// wanted share of `headCount` when those measured are ranked.
    static func threshold(
        _ criterion: PruningOptions.Criterion, entropies: [Float], headCount: Int
    ) -> Float {
        switch criterion {
        case .threshold(let value): return value
        case .share(let share):
            let count = Int((share * Float(headCount)).rounded())
            if count == 0 { return -.infinity }
            return count > entropies.count ? .infinity : entropies.sorted()[count - 1]
        }
    }

    /// Matrices of one shape and type side by side.
    private static func packed(_ tensors: [Tensor]) -> Tensor {
        let (rows, first) = (tensors[0].shape[0], tensors[0])
        let rowBytes = first.shape[1] * first.elementType.byteCount
        let storage = TensorStorage(byteCount: rows * rowBytes * tensors.count)
        for (column, tensor) in tensors.enumerated() {
            for row in 0..<rows {
                (storage.baseAddress + (row * tensors.count + column) * rowBytes).copyMemory(
                    from: tensor.bytes + row * rowBytes, byteCount: rowBytes)
            }
        }
        return Tensor(
            shape: [rows, first.shape[1] * tensors.count], elementType: first.elementType,
            storage: storage)
    }

    /// Idle heads by layer; layers without any are left out.
    var idleHeadCounts: [AttentionLayerIndex: Int] {
        layers.mapValues { headCount - $0.activeHeads.kept.count }
    }

    /// Heads skipped at this step, over all layers.
    var skippedHeadCount: Int {
        isJudging ? 0 : idleHeadCounts.values.reduce(0, +)
    }

    /// One layer's view of the pruner.
    private final class Gate: HeadGate {
        unowned let pruner: HeadPruner
        let index: AttentionLayerIndex

        init(pruner: HeadPruner, index: AttentionLayerIndex) {
            self.pruner = pruner
            self.index = index
        }

        var isMeasuring: Bool { pruner.isJudging }
        var activeHeads: [Int]? { pruner.layers[index]?.activeHeads.kept }
        var idleOutputs: Tensor? { pruner.layers[index]?.idleOutputs }

        func observe(entropies: [Float], headOutputs: Tensor) {
            pruner.observe(index, entropies, headOutputs)
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
