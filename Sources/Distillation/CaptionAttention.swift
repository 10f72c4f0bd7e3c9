// Where the subject is when no mask says so: the patches that attend to the caption.
import NeuralLayers
import TensorCore
import ZImageModel

/// Listens to the main layers of one evaluation and adds up how much each image patch attends to
/// the caption's own tokens.
///
/// Attention from image to caption marks the subject, as cross-attention maps do in Hertz et al.
/// 2022; here both stand in one sequence, so it is the caption's part of a patch's softmax.
final class CaptionAttention {
    private let patchCount: Int
    private let captionLengths: [Int]
    private let operations: EagerOperations
    private var sums: [[Float]]

    /// - Parameter captionLengths: tokens by sample; samples behind these (those of the empty
    ///   caption, for guidance) are left alone
    init(patchCount: Int, captionLengths: [Int], operations: EagerOperations) {
        self.patchCount = patchCount
        self.captionLengths = captionLengths
        self.operations = operations
        sums = captionLengths.map { _ in [Float](repeating: 0, count: patchCount) }
    }

    func gate(_ index: AttentionLayerIndex) -> (any HeadGate)? {
        index.stack == .main ? Gate(owner: self) : nil
    }

    /// By sample: the attention of its patches to the caption, 0 for the least to 1 for the most.
    var shares: [[Float]] {
        sums.map { sum in
            let (low, high) = (sum.min() ?? 0, sum.max() ?? 0)
            return sum.map { high > low ? ($0 - low) / (high - low) : 1 }
        }
    }

    /// With values of 1 for the caption's tokens and 0 elsewhere, what attention gives is its
    /// weights' sum over the caption.
    private func add(_ queries: Tensor, _ keys: Tensor, _ layout: AttentionLayout) {
        let width = keys.shape[1]
        let values = Tensor(zeros: keys.shape)
        let samples = zip(layout.segments.ranges, captionLengths)
        for (rows, length) in samples {
            // Image tokens come first, padded; then the caption's, padded behind.
            let start = rows.lowerBound + SequencePlan.paddedLength(patchCount)
            for i in start * width..<(start + length) * width { values.floats[i] = 1 }
        }
        let sums = operations.attention(
            query: queries, key: keys, value: values, layout: layout, measuringEntropy: false
        ).output
        for (sample, (rows, _)) in samples.enumerated() {
            for patch in 0..<patchCount {
                for head in 0..<layout.headCount {
                    self.sums[sample][patch] +=
                        sums.floats[
                            (rows.lowerBound + patch) * sums.shape[1]
                                + head * layout.headDimension]
                }
            }
        }
        withExtendedLifetime(sums) {}
    }

    private final class Gate: HeadGate {
        let owner: CaptionAttention

        init(owner: CaptionAttention) {
            self.owner = owner
        }

        var activeHeads: [Int]? { nil }
        var idleOutputs: Tensor? { nil }
        var isMeasuring: Bool { false }
        func observe(entropies: [Float], headOutputs: Tensor) {}
        func observe(queries: Tensor, keys: Tensor, layout: AttentionLayout) {
            owner.add(queries, keys, layout)
        }
    }
}
