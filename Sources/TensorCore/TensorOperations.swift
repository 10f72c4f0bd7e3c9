// The operations that layers are written in. One definition of a model serves inference and
// training: `EagerOperations` executes them, a recording implementation also keeps a tape.

/// How the rows of a packed batch are divided into sequences, in order.
///
/// A batch of sequences is one matrix whose rows are the tokens of all of them; nothing is padded.
public struct Segments: Sendable, Equatable {
    /// Rows in each sequence.
    public let lengths: [Int]

    public init(_ lengths: [Int]) {
        self.lengths = lengths
    }

    public var rowCount: Int { lengths.reduce(0, +) }

    /// The rows of each sequence.
    public var ranges: [Range<Int>] {
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return start..<start + length
        }
    }
}

/// Some of the equal blocks that a matrix dimension consists of, such as the heads of a projection.
public struct BlockSelection: Sendable, Equatable {
    public let blockSize: Int
    /// Indices of the kept blocks, ascending.
    public let kept: [Int]

    public init(blockSize: Int, kept: [Int]) {
        self.blockSize = blockSize
        self.kept = kept
    }

    /// Runs of adjacent kept blocks, as ranges of elements.
    public var ranges: [Range<Int>] {
        var runs: [Range<Int>] = []
        for block in kept {
            let start = block * blockSize
            if let last = runs.last, last.upperBound == start {
                runs[runs.count - 1] = last.lowerBound..<start + blockSize
            } else {
                runs.append(start..<start + blockSize)
            }
        }
        return runs
    }

    public var elementCount: Int { kept.count * blockSize }

    /// The blocks of `count` that are not kept.
    public func complement(of count: Int) -> BlockSelection {
        let kept = Set(kept)
        return BlockSelection(
            blockSize: blockSize, kept: (0..<count).filter { !kept.contains($0) })
    }
}

/// What an attention call needs to know beside its tensors.
public struct AttentionLayout: Sendable {
    public let headCount: Int
    /// Divides `headCount`; head h reads key and value head h / (headCount / keyValueHeadCount).
    public let keyValueHeadCount: Int
    public let headDimension: Int
    /// Whether a token sees only itself and earlier tokens of its sequence.
    public let isCausal: Bool
    public let segments: Segments

    public init(
        headCount: Int, keyValueHeadCount: Int, headDimension: Int, isCausal: Bool,
        segments: Segments
    ) {
        precondition(headCount % keyValueHeadCount == 0)
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension
        self.isCausal = isCausal
        self.segments = segments
    }
}

/// Cosines and sines by token: two matrices of shape [rows, headDimension / 2].
public struct RotaryTable {
    public let cosines: Tensor
    public let sines: Tensor
    /// Whether pairs are neighbours (2i, 2i + 1), as in complex multiplication, or halves apart
    /// (i, i + headDimension / 2).
    public let isInterleaved: Bool

    public init(cosines: Tensor, sines: Tensor, isInterleaved: Bool) {
        precondition(cosines.shape == sines.shape && cosines.rank == 2)
        self.cosines = cosines
        self.sines = sines
        self.isInterleaved = isInterleaved
    }
}

/// Geometry of a square convolution.
public struct ConvolutionGeometry: Sendable, Equatable {
    public let kernel: Int
    public let stride: Int
    /// Rows and columns of zeros at the top and left, and at the bottom and right.
    public let leadingPadding: Int
    public let trailingPadding: Int

    public init(kernel: Int, stride: Int = 1, leadingPadding: Int, trailingPadding: Int) {
        self.kernel = kernel
        self.stride = stride
        self.leadingPadding = leadingPadding
        self.trailingPadding = trailingPadding
    }

    /// 3 × 3 with a border of one, which keeps the size.
    public static let same3 = ConvolutionGeometry(
        kernel: 3, leadingPadding: 1, trailingPadding: 1)
    /// 1 × 1.
    public static let pointwise = ConvolutionGeometry(
        kernel: 1, leadingPadding: 0, trailingPadding: 0)
    /// 3 × 3 with stride 2 and zeros at the bottom and right only, which halves the size.
    public static let halving3 = ConvolutionGeometry(
        kernel: 3, stride: 2, leadingPadding: 0, trailingPadding: 1)

    /// The output's extent for an input extent.
    public func outputExtent(_ extent: Int) -> Int {
        (extent + leadingPadding + trailingPadding - kernel) / stride + 1
    }
}

/// The coarse operations of the model family. Activations are float32; weights may be of any
/// element type. Shapes are row-major; an implementation stops on shapes that do not fit, since
/// loaders have checked what comes from files.
public protocol TensorOperations {
    /// x [rows, inputs] · weightᵀ [outputs, inputs] + bias [outputs] → [rows, outputs].
    ///
    /// With `keptOutputs` only those blocks of outputs are computed, packed next to each other;
    /// with `keptInputs` x holds only those blocks of inputs, packed, and the others count as zero.
    func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, keptOutputs: BlockSelection?,
        keptInputs: BlockSelection?) -> Tensor

    /// Rows `ids` of the table [vocabulary, width] → [ids, width].
    func embedding(_ ids: [Int32], table: Tensor) -> Tensor

    /// x / √(mean(x²) + ε) · weight [width] · scale [sequences, width], by row.
    func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, scale: Tensor?, segments: Segments) -> Tensor

    /// (x − mean) / √(variance + ε) · scale [sequences, width], by row.
    func layerNorm(_ x: Tensor, epsilon: Float, scale: Tensor?, segments: Segments) -> Tensor

    /// x + gate [sequences, width] · update, by row; without a gate x + update.
    func gatedAdd(_ x: Tensor, _ update: Tensor, gate: Tensor?, segments: Segments) -> Tensor

    /// x · σ(x)
    func silu(_ x: Tensor) -> Tensor
    /// a · σ(a) · b
    func siluProduct(_ a: Tensor, _ b: Tensor) -> Tensor
    func tanh(_ x: Tensor) -> Tensor
    /// scale · x + offset
    func affine(_ x: Tensor, scale: Float, offset: Float) -> Tensor

    /// Columns `range` of a matrix.
    func columns(_ x: Tensor, _ range: Range<Int>) -> Tensor
    /// Rows of several matrices of one width, put together: `pieces` names the matrix and its rows.
    func gatherRows(_ sources: [Tensor], _ pieces: [(source: Int, rows: Range<Int>)]) -> Tensor

    /// Puts blocks of columns back together: `kept` holds the selected blocks, `others` the rest of
    /// `blockCount` blocks, both packed.
    func mergeBlocks(
        _ kept: Tensor, _ selection: BlockSelection, _ others: Tensor, blockCount: Int) -> Tensor
    /// The selected blocks of columns, packed.
    func selectBlocks(_ x: Tensor, _ selection: BlockSelection) -> Tensor

    /// RMS norm of each head of x [rows, heads · d] (when a weight [d] is given), then rotation.
    func headNormRotary(
        _ x: Tensor, headDimension: Int, weight: Tensor?, epsilon: Float, rotary: RotaryTable?
    ) -> Tensor

    /// softmax(q · kᵀ / √d) · v by sequence and head; [rows, heads · d].
    ///
    /// `entropies`, when asked for: by head, the entropy of the attention weights in nats, averaged
    /// over all queries.
    func attention(
        query: Tensor, key: Tensor, value: Tensor, layout: AttentionLayout, measuringEntropy: Bool
    ) -> (output: Tensor, entropies: [Float]?)

    /// Group norm of an image [channels, height, width] with affine weights, then SiLU if asked.
    func groupNorm(
        _ x: Tensor, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float, silu: Bool
    ) -> Tensor

    /// Convolution of an image [inputs, height, width] with weight [outputs, inputs, k, k].
    func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry) -> Tensor

    /// Nearest-neighbour doubling of an image.
    func upsample2(_ x: Tensor) -> Tensor

    /// The transpose of a matrix.
    func transposed(_ x: Tensor) -> Tensor

    /// Element-by-element sum of two tensors of one shape.
    func add(_ a: Tensor, _ b: Tensor) -> Tensor
}

extension TensorOperations {
    public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
        linear(x, weight: weight, bias: bias, keptOutputs: nil, keptInputs: nil)
    }
}
