// How image patches and caption tokens become sequences, and where each stands.
import Foundation
import TensorCore

/// The patches of an image: rows and columns.
public struct PatchGrid: Sendable, Hashable {
    public let rows: Int
    public let columns: Int

    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    public var count: Int { rows * columns }
}

/// What the transformer needs to know of a batch beside its values; made once a generation.
///
/// Source: `patchify_and_embed`, `_prepare_sequence` and `_build_unified_sequence` of diffusers'
/// `transformer_z_image.py`. Image and caption are each padded to a multiple of 32 tokens; padding
/// takes part in attention. Captions stand at 1, 2, … on the first axis, image patches at (padded
/// caption length + 1, row, column), image padding at (0, 0, 0).
public struct SequencePlan {
    typealias Piece = (source: Int, rows: Range<Int>)

    let imageSegments: Segments
    let captionSegments: Segments
    /// Per sample: image tokens, then caption tokens.
    let jointSegments: Segments
    let imageRotary: RotaryTable
    let captionRotary: RotaryTable
    let jointRotary: RotaryTable
    /// Sources: 0 the embedded tokens, 1 the padding token.
    let imagePieces: [Piece]
    let captionPieces: [Piece]
    /// Sources: 0 the image tokens, 1 the caption tokens.
    let jointPieces: [Piece]
    /// The rows of the joint sequences that are image patches, without padding.
    let patchPieces: [Piece]
    /// Patches and caption tokens before padding.
    public let patchCount: Int
    public let captionCount: Int

    static let alignment = 32

    /// Tokens with the padding behind them.
    public static func paddedLength(_ count: Int) -> Int {
        (count + alignment - 1) / alignment * alignment
    }

    /// - Parameter samples: the patch grid and the caption's token count of each sample. Positions
    ///   must exist on the configuration's axes (`TransformerConfiguration.accepts`).
    public init(
        samples: [(grid: PatchGrid, captionLength: Int)], configuration: TransformerConfiguration
    ) {
        let axes = RotaryAxes(configuration)
        var (imageTable, captionTable, jointTable) = (
            RotaryRows(axes), RotaryRows(axes), RotaryRows(axes)
        )
        for (grid, captionLength) in samples {
            precondition(configuration.accepts(grid: grid, captionLength: captionLength))
            let captionPositions = (0..<Self.paddedLength(captionLength)).map { [$0 + 1, 0, 0] }
            let frame = Self.paddedLength(captionLength) + 1
            var imagePositions = (0..<grid.count).map {
                [frame, $0 / grid.columns, $0 % grid.columns]
            }
            imagePositions += Array(
                repeating: [0, 0, 0], count: Self.paddedLength(grid.count) - grid.count)
            imageTable.append(imagePositions)
            captionTable.append(captionPositions)
            jointTable.append(imagePositions + captionPositions)
        }
        imageRotary = imageTable.table
        captionRotary = captionTable.table
        jointRotary = jointTable.table

        let imageLengths = samples.map { Self.paddedLength($0.grid.count) }
        let captionLengths = samples.map { Self.paddedLength($0.captionLength) }
        imageSegments = Segments(imageLengths)
        captionSegments = Segments(captionLengths)
        jointSegments = Segments(zip(imageLengths, captionLengths).map { $0 + $1 })
        imagePieces = Self.paddingPieces(samples.map(\.grid.count), imageLengths)
        captionPieces = Self.paddingPieces(samples.map(\.captionLength), captionLengths)
        jointPieces = zip(imageSegments.ranges, captionSegments.ranges).flatMap {
            [Piece(0, $0), Piece(1, $1)]
        }
        patchPieces = zip(jointSegments.ranges, samples).map { range, sample in
            Piece(0, range.lowerBound..<range.lowerBound + sample.grid.count)
        }
        patchCount = samples.reduce(0) { $0 + $1.grid.count }
        captionCount = samples.reduce(0) { $0 + $1.captionLength }
    }

    /// The rows of each sequence, followed by as many padding tokens as its padded length needs.
    private static func paddingPieces(_ lengths: [Int], _ paddedLengths: [Int]) -> [Piece] {
        var pieces: [Piece] = []
        for (range, padded) in zip(Segments(lengths).ranges, paddedLengths) {
            pieces.append((0, range))
            pieces += Array(repeating: (1, 0..<1), count: padded - range.count)
        }
        return pieces
    }
}

extension TransformerConfiguration {
    /// Whether the rotary axes reach far enough for an image and a caption.
    public func accepts(grid: PatchGrid, captionLength: Int) -> Bool {
        SequencePlan.paddedLength(captionLength) + 1 < axisLengths[0] && grid.rows <= axisLengths[1]
            && grid.columns <= axisLengths[2]
    }
}

/// Cosines and sines of every position on every axis.
///
/// Frequencies and angles are computed in double precision and rounded to float32 before the
/// cosine, as the reference does.
private struct RotaryAxes {
    /// By axis: [position · dimensions/2 + i]
    let cosines: [[Float]]
    let sines: [[Float]]
    let halves: [Int]

    init(_ configuration: TransformerConfiguration) {
        halves = configuration.axisDimensions.map { $0 / 2 }
        var (cosines, sines) = ([[Float]](), [[Float]]())
        for (dimension, length) in zip(configuration.axisDimensions, configuration.axisLengths) {
            let frequencies = (0..<dimension / 2).map { i in
                1 / pow(configuration.ropeTheta, Double(2 * i) / Double(dimension))
            }
            let angles = (0..<length).flatMap { position in
                frequencies.map { Float(Double(position) * $0) }
            }
            cosines.append(angles.map { Float(cos(Double($0))) })
            sines.append(angles.map { Float(sin(Double($0))) })
        }
        self.cosines = cosines
        self.sines = sines
    }
}

/// Rows of a rotary table under construction.
private struct RotaryRows {
    let axes: RotaryAxes
    var cosines: [Float] = []
    var sines: [Float] = []

    init(_ axes: RotaryAxes) {
        self.axes = axes
    }

    mutating func append(_ positions: [[Int]]) {
        for position in positions {
            for (axis, half) in axes.halves.enumerated() {
                let start = position[axis] * half
                cosines += axes.cosines[axis][start..<start + half]
                sines += axes.sines[axis][start..<start + half]
            }
        }
    }

    var table: RotaryTable {
        let width = axes.halves.reduce(0, +)
        let shape = [cosines.count / width, width]
        return RotaryTable(
            cosines: Tensor(cosines, shape: shape), sines: Tensor(sines, shape: shape),
            isInterleaved: true)
    }
}
