// What two images have in common, as numbers: a fixed description of colour and shape, with which
// "the nearest image of the data set" has a meaning that anyone can recompute.
//
// Two parts, each divided by its length:
//  - colour: the image averaged to 64×64 in linear light, then to 16×16 cells in OKLab (Björn
//    Ottosson, "A perceptual color space for image processing", 2020), less white, so that the
//    empty ground counts for nothing; a and b doubled, so that a red and a blue heart are far
//    apart;
//  - shape: histograms of gradient directions (Dalal and Triggs, "Histograms of oriented gradients
//    for human detection", 2005) of lightness at 64×64, in 8×8 cells of 9 directions without sign,
//    each vote shared between neighbouring cells and directions; square roots of the votes, so that
//    one strong edge does not outvote the others.
// The colour part counts twice as much in squared distance as the shape part.
import Foundation
import TensorCore

/// A point in the space in which images are compared.
///
/// The squared distance of two descriptors is 2 less twice their product: from 0, the same, to 2,
/// nothing in common (up to 4 where colours are opposite).
public struct ImageDescriptor: Sendable, Equatable {
    /// The number of values, a multiple of 16.
    static let length = colorSide * colorSide * 3 + cellSide * cellSide * directionCount

    private static let colorSide = 16
    private static let shapeSide = 64
    private static let shapeSize = ImageFolder.Size(width: shapeSide, height: shapeSide)
    private static let cellSide = 8
    private static let directionCount = 9
    /// The shares of the parts in the squared length of 1.
    private static let colorShare: Float = 2 / 3
    private static let shapeShare: Float = 1 / 3

    /// The values: colour, then shape.
    let values: [Float]

    /// Describes an image of samples: (3, height, width), 0…255.
    public init(bytes: [UInt8], size: ImageFolder.Size) {
        precondition(bytes.count == 3 * size.pixelCount)
        let lab = OKLab.planes(of: bytes, size: size, resampledTo: Self.shapeSize)
        values = Self.colorPart(lab) + Self.shapePart(lab[0])
    }

    /// Describes an image of floats: [3, height, width], −1…1.
    public init(image: Tensor) {
        precondition(image.rank == 3 && image.shape[0] == 3)
        self.init(
            bytes: ContactSheet.bytes(image),
            size: .init(width: image.shape[2], height: image.shape[1]))
    }

    /// The squared distance to another image's descriptor.
    public func squaredDistance(to other: ImageDescriptor) -> Float {
        values.withUnsafeBytes { left in
            other.values.withUnsafeBytes { right in
                var sum = SIMD16<Float>.zero
                for offset in stride(from: 0, to: left.count, by: 64) {
                    let difference =
                        left.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
                        - right.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
                    sum += difference * difference
                }
                return sum.sum()
            }
        }
    }

    // MARK: Parts

    private static func colorPart(_ lab: [[Float]]) -> [Float] {
        let target = ImageFolder.Size(width: colorSide, height: colorSide)
        let planes = lab.map { AreaResampling.resample($0, from: shapeSize, to: target) }
        let lightness = planes[0].map { $0 - 1 }
        let values = lightness + planes[1].map { 2 * $0 } + planes[2].map { 2 * $0 }
        return normalized(values, share: colorShare)
    }

    private static func shapePart(_ plane: [Float]) -> [Float] {
        let side = shapeSide
        var votes = [Float](repeating: 0, count: cellSide * cellSide * directionCount)
        for y in 0..<side {
            for x in 0..<side {
                let dx = plane[y * side + min(x + 1, side - 1)] - plane[y * side + max(x - 1, 0)]
                let dy = plane[min(y + 1, side - 1) * side + x] - plane[max(y - 1, 0) * side + x]
                let strength = (dx * dx + dy * dy).squareRoot()
                if strength > noiseLevel { vote(x, y, dx, dy, strength, &votes) }
            }
        }
        return normalized(votes.map { $0.squareRoot() }, share: shapeShare)
    }

    /// Gradients below this lightness difference are noise.
    private static let noiseLevel: Float = 0.02

    /// Shares a gradient between the four nearest cells and the two nearest directions.
    private static func vote(
        _ x: Int, _ y: Int, _ dx: Float, _ dy: Float, _ strength: Float, _ votes: inout [Float]
    ) {
        let angle = atan2f(dy, dx)
        let turn = (angle < 0 ? angle + .pi : angle) / .pi
        let direction = turn * Float(directionCount)
        let first = Int(direction)
        let upper = direction - Float(first)
        let cell = Float(shapeSide / cellSide)
        let (column, row) = ((Float(x) + 0.5) / cell - 0.5, (Float(y) + 0.5) / cell - 0.5)
        let (left, top) = (Int(column.rounded(.down)), Int(row.rounded(.down)))
        let (right, bottom) = (column - Float(left), row - Float(top))
        for (r, rowShare) in [(top, 1 - bottom), (top + 1, bottom)] where 0..<cellSide ~= r {
            for (c, columnShare) in [(left, 1 - right), (left + 1, right)] where 0..<cellSide ~= c {
                let start = (r * cellSide + c) * directionCount
                let weight = strength * rowShare * columnShare
                votes[start + first % directionCount] += weight * (1 - upper)
                votes[start + (first + 1) % directionCount] += weight * upper
            }
        }
    }

    /// Divides by the length, so that the squared length becomes `share`. What is nearly empty
    /// stays so: a blank image is near to nothing.
    private static func normalized(_ values: [Float], share: Float) -> [Float] {
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let factor = share.squareRoot() / max(length, 0.05)
        return values.map { $0 * factor }
    }
}
