// Multi-head self-attention with normalised, rotated queries and keys.
import TensorCore

/// Decides, for one attention layer, which heads run, and learns what they did.
public protocol HeadGate: AnyObject {
    /// The heads to run, ascending; nil for all of them.
    var activeHeads: [Int]? { get }
    /// What stands for the outputs of the other heads, [rows, other heads · d]; nil for zero.
    var idleOutputs: Tensor? { get }
    /// Whether this run should measure entropies. Only asked for when all heads run.
    var isMeasuring: Bool { get }
    /// Called after a measured run: entropies by head in nats, and the heads' outputs
    /// [rows, heads · d] before the output projection.
    func observe(entropies: [Float], headOutputs: Tensor)
    /// Called before the heads that run attend: queries and keys [rows, heads · d] as they are
    /// compared, normalised and rotated.
    func observe(queries: Tensor, keys: Tensor, layout: AttentionLayout)
}

extension HeadGate {
    public func observe(queries: Tensor, keys: Tensor, layout: AttentionLayout) {}
}

/// Self-attention as in Qwen3 and Z-Image: separate projections, optional RMS norm of each query
/// and key head, rotary positions, grouped key and value heads.
public struct SelfAttention {
    public let query: Linear
    public let key: Linear
    public let value: Linear
    public let output: Linear
    /// [headDimension] each
    public let queryNorm: Tensor?
    public let keyNorm: Tensor?
    public let headCount: Int
    public let keyValueHeadCount: Int
    public let headDimension: Int
    public let normEpsilon: Float
    public let isCausal: Bool

    public init(
        query: Linear, key: Linear, value: Linear, output: Linear, queryNorm: Tensor?,
        keyNorm: Tensor?, headCount: Int, keyValueHeadCount: Int, headDimension: Int,
        normEpsilon: Float, isCausal: Bool
    ) {
        self.query = query
        self.key = key
        self.value = value
        self.output = output
        self.queryNorm = queryNorm
        self.keyNorm = keyNorm
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension
        self.normEpsilon = normEpsilon
        self.isCausal = isCausal
    }

    /// - Parameters:
    ///   - x: [rows, width]
    ///   - rotary: cosines and sines for each row
    ///   - gate: head pruning; needs as many key and value heads as query heads
    /// - Returns: [rows, width]
    public func callAsFunction(
        _ x: Tensor, rotary: RotaryTable, segments: Segments, gate: (any HeadGate)? = nil,
        _ operations: some TensorOperations
    ) -> Tensor {
        let active = gate?.activeHeads.map {
            BlockSelection(blockSize: headDimension, kept: $0)
        }
        precondition(active == nil || headCount == keyValueHeadCount)
        let attended: Tensor
        if let active, active.kept.isEmpty {
            attended = Tensor(zeros: [x.shape[0], 0])
        } else {
            attended = attend(
                x, rotary: rotary, segments: segments, gate: gate, active: active, operations)
        }
        guard let active else { return output(attended, operations) }
        guard let idle = gate?.idleOutputs else {
            return operations.linear(
                attended, weight: output.weight, bias: output.bias, keptOutputs: nil,
                keptInputs: active)
        }
        return output(
            operations.mergeBlocks(attended, active, idle, blockCount: headCount), operations)
    }

    /// The heads' outputs, [rows, heads · d], of all heads or the active ones.
    private func attend(
        _ x: Tensor, rotary: RotaryTable, segments: Segments, gate: (any HeadGate)?,
        active: BlockSelection?, _ operations: some TensorOperations
    ) -> Tensor {
        let queries = operations.headNormRotary(
            query(x, keptOutputs: active, operations), headDimension: headDimension,
            weight: queryNorm, epsilon: normEpsilon, rotary: rotary)
        let keys = operations.headNormRotary(
            key(x, keptOutputs: active, operations), headDimension: headDimension,
            weight: keyNorm, epsilon: normEpsilon, rotary: rotary)
        let values = value(x, keptOutputs: active, operations)
        let layout = AttentionLayout(
            headCount: active?.kept.count ?? headCount,
            keyValueHeadCount: active?.kept.count ?? keyValueHeadCount,
            headDimension: headDimension, isCausal: isCausal, segments: segments)
        gate?.observe(queries: queries, keys: keys, layout: layout)
        let (attended, entropies) = operations.attention(
            query: queries, key: keys, value: values, layout: layout,
            measuringEntropy: gate?.isMeasuring == true && active == nil)
        if let gate, let entropies {
            gate.observe(entropies: entropies, headOutputs: attended)
        }
        return attended
    }
}
