// The descriptor and the search: what is near, what is far, and how ties count.
import TensorCore
import Testing

@testable import Distillation

@Suite struct CaptionRetrievalTests {
    private static let size = ImageFolder.Size(width: 128, height: 128)

    /// A picture of one colour within a shape, white around it.
    static func picture(
        _ color: (UInt8, UInt8, UInt8), _ isInside: (_ x: Int, _ y: Int) -> Bool
    ) -> [UInt8] {
        var planes = [UInt8](repeating: 255, count: 3 * 128 * 128)
        for y in 0..<128 {
            for x in 0..<128 where isInside(x, y) {
                let place = y * 128 + x
                planes[place] = color.0
                planes[128 * 128 + place] = color.1
                planes[2 * 128 * 128 + place] = color.2
            }
        }
        return planes
    }

    private static func disc(_ color: (UInt8, UInt8, UInt8), x: Int = 64, y: Int = 64) -> [UInt8] {
        picture(color) { ($0 - x) * ($0 - x) + ($1 - y) * ($1 - y) < 2500 }
    }

    private static func square(_ color: (UInt8, UInt8, UInt8)) -> [UInt8] {
        picture(color) { abs($0 - 64) < 45 && abs($1 - 64) < 45 }
    }

    private func describe(_ bytes: [UInt8]) -> ImageDescriptor {
        ImageDescriptor(bytes: bytes, size: Self.size)
    }

    private static let red: (UInt8, UInt8, UInt8) = (220, 40, 40)
    private static let blue: (UInt8, UInt8, UInt8) = (40, 80, 220)

    @Test func knownColorsInOKLab() {
        for (color, expected) in [
            ((1, 1, 1), (1, 0, 0)), ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
            ((0, 1, 0), (0.86644, -0.23389, 0.17950)), ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
        ] as [((Float, Float, Float), (Float, Float, Float))] {
            let (l, a, b) = OKLab.color(color.0, color.1, color.2)
            #expect(abs(l - expected.0) < 1e-4)
            #expect(abs(a - expected.1) < 1e-4)
            #expect(abs(b - expected.2) < 1e-4)
        }
    }

    @Test func resamplingKeepsTheMean() {
        let size = ImageFolder.Size(width: 7, height: 5)
        let plane = (0..<35).map { Float($0 * $0 % 11) }
        let mean = plane.reduce(0, +) / 35
        for (width, height) in [(1, 1), (2, 3), (7, 5), (16, 16)] {
            let small = AreaResampling.resample(
                plane, from: size, to: .init(width: width, height: height))
            #expect(abs(small.reduce(0, +) / Float(width * height) - mean) < 1e-4)
        }
        #expect(AreaResampling.resample(plane, from: size, to: size) == plane)
        let wide = AreaResampling.resample(
            [1, 2], from: .init(width: 2, height: 1), to: .init(width: 4, height: 2))
        #expect(wide == [1, 1, 2, 2, 1, 1, 2, 2])
    }

    @Test func sameImagesAreAtNoDistance() {
        let descriptor = describe(Self.disc(Self.red))
        #expect(descriptor.values.count == ImageDescriptor.length)
        #expect(ImageDescriptor.length % 16 == 0)
        #expect(descriptor.squaredDistance(to: descriptor) == 0)
        #expect(abs(descriptor.values.reduce(0) { $0 + $1 * $1 } - 1) < 1e-3)
        let floats = Self.disc(Self.red).map { Float($0) / 127.5 - 1 }
        #expect(ImageDescriptor(image: Tensor(floats, shape: [3, 128, 128])) == descriptor)
    }

    @Test func colorAndShapeBothCount() {
        let disc = describe(Self.disc(Self.red))
        let moved = disc.squaredDistance(to: describe(Self.disc(Self.red, x: 66, y: 62)))
        let darker = disc.squaredDistance(to: describe(Self.disc((205, 35, 45))))
        let otherShape = disc.squaredDistance(to: describe(Self.square(Self.red)))
        let otherColor = disc.squaredDistance(to: describe(Self.disc(Self.blue)))
        #expect(moved > 0 && darker > 0)
        #expect(max(moved, darker) < min(otherShape, otherColor) / 2)
        #expect(otherColor > otherShape)
    }

    @Test func sizesMayDiffer() {
        let small = (0..<3 * 64 * 64).map { place -> UInt8 in
            let (channel, y, x) = (place / 4096, place / 64 % 64, place % 64)
            let inside = (2 * x - 63) * (2 * x - 63) + (2 * y - 63) * (2 * y - 63) < 2500
            return inside ? [220, 40, 40][channel] : 255
        }
        let descriptor = ImageDescriptor(bytes: small, size: .init(width: 64, height: 64))
        #expect(descriptor.squaredDistance(to: describe(Self.disc(Self.red))) < 0.1)
    }

    @Test func ranksCountConcepts() {
        let descriptors = [
            Self.disc(Self.red), Self.disc(Self.blue), Self.square(Self.red), Self.disc(Self.red),
            Self.square(Self.blue),
        ].map { describe($0) }
        let retrieval = CaptionRetrieval(
            descriptors: descriptors,
            concepts: ["red disc", "blue disc", "red square", "red disc", "blue square"])
        let query = describe(Self.disc((230, 50, 35), x: 65))
        #expect(retrieval.rank(of: "red disc", for: query) == 1)
        #expect(retrieval.rank(of: "red square", for: query) == 2)
        #expect(retrieval.rank(of: "green disc", for: query) == nil)
    }

    @Test func tiesBetweenConceptsCountAgainst() {
        let disc = describe(Self.disc(Self.red))
        let retrieval = CaptionRetrieval(
            descriptors: [disc, disc, describe(Self.square(Self.red))], concepts: ["a", "b", "c"])
        #expect(retrieval.rank(of: "a", for: disc) == 2)
        #expect(retrieval.rank(of: "b", for: disc) == 2)
        // A blank picture has nothing in common with anything.
        let blank = describe(Self.picture((0, 0, 0)) { _, _ in false })
        #expect(blank.values.allSatisfy { abs($0) < 0.01 })
    }

    @Test func scoresAreShares() {
        var score = RetrievalScore()
        #expect(score.topOne == 0 && score.topFive == 0)
        for rank in [1, 1, 3, 5, 6, 900, 1, 2] { score.add(rank: rank) }
        #expect(score.topOne == 3 / 8 && score.topFive == 6 / 8 && score.count == 8)
    }
}
