// Charts: what is read from a log, where lines lie, which numbers stand at the axes.
import Foundation
import ImagePipeline
import TestSupport
import Testing

@testable import Distillation

@Suite struct LossCurveTests {
    private func points(_ count: Int, _ value: (Int) -> Double) -> [LossCurve.Point] {
        (0..<count).map { .init(x: Double($0), y: value($0)) }
    }

    @Test func readsALogThatIsStillWritten() throws {
        let path = TemporaryFiles.path("log.csv")
        let text = "step,loss,psnr\n1,0.5,\n2,0.25,20.5\nx,1,1\n3, nan ,21\n4,0.1"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let series = try LossCurve.Series.read(
            log: path, horizontal: "step", columns: ["loss", "psnr"])
        #expect(series.map(\.name) == ["loss", "psnr"])
        #expect(series[0].points == [.init(x: 1, y: 0.5), .init(x: 2, y: 0.25)])
        #expect(series[1].points == [.init(x: 2, y: 20.5), .init(x: 3, y: 21)])
        let error = #expect(throws: GenerationError.self) {
            try LossCurve.Series.read(log: path, horizontal: "step", columns: ["lose"])
        }
        #expect("\(try #require(error))".contains("choose from step, loss, psnr"))
        #expect(throws: GenerationError.self) {
            try LossCurve.Series.read(log: path + "x", horizontal: "step", columns: [])
        }
    }

    @Test func smoothingKeepsStraightLinesAndFlattensNoise() {
        let line = LossCurve.smoothed(points(1000) { Double($0) })
        #expect(line.count == 1000)
        #expect(line[100..<900].allSatisfy { abs($0.x - $0.y) < 1e-6 })
        let noise = LossCurve.smoothed(points(1000) { $0 % 2 == 0 ? 1 : -1 })
        #expect(noise[100..<900].allSatisfy { abs($0.y) < 0.01 })
        let few = points(5) { Double($0 * $0) }
        #expect(LossCurve.smoothed(few) == few)
        #expect(LossCurve.smoothed(points(100_000) { _ in 2 }).count <= 2001)
    }

    @Test func marksAreRoundNumbers() {
        let linear = ChartAxis(holding: 0...0.98, scale: .linear, room: 0)
        #expect(linear.marks(count: 5).map(ChartAxis.text) == ["0", "0.2", "0.4", "0.6", "0.8"])
        let wide = ChartAxis(holding: 0.002...30, scale: .logarithmic, room: 0)
        #expect(
            wide.marks(count: 7).map(ChartAxis.text)
                == [
                    "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5",
                    "10", "20",
                ])
        #expect(abs(wide.share(0.002)) < 1e-12 && abs(wide.share(30) - 1) < 1e-12)
        let constant = ChartAxis(holding: 3...3, scale: .linear, room: 0.05)
        #expect(constant.lower < 3 && constant.upper > 3 && !constant.marks(count: 4).isEmpty)
        #expect(ChartAxis.text(12_500) == "12.5k" && ChartAxis.text(2e6) == "2M")
        for value in [1e-12, 1e15] {
            let axis = ChartAxis(holding: value...(value * 1.5), scale: .linear, room: 0.05)
            #expect((1...20).contains(axis.marks(count: 6).count))
        }
    }

    /// The pixels of one colour.
    private func places(_ image: DecodedImage, _ color: [UInt8]) -> [(x: Int, y: Int)] {
        (0..<image.width * image.height).filter {
            Array(image.pixels[3 * $0..<3 * $0 + 3]) == color
        }.map { ($0 % image.width, $0 / image.width) }
    }

    @Test func aFallingLineFalls() throws {
        let curve = LossCurve(
            title: "loss", horizontalName: "step",
            series: [.init(name: "train", points: points(30) { 30 - Double($0) })])
        let image = try PNGDecoder().decode(curve.png())
        #expect(image.width == 1000 && image.height == 560)
        let blue = places(image, [0x25, 0x63, 0xEB]).filter { $0.x < 700 }
        let left = blue.filter { $0.x < 200 }.map(\.y)
        let right = blue.filter { $0.x > 600 }.map(\.y)
        #expect(left.count > 100 && right.count > 100)
        let (lowest, highest) = (try #require(left.max()), try #require(right.min()))
        #expect(lowest < highest)
        #expect(places(image, [0xEA, 0x58, 0x0C]).isEmpty)
    }

    @Test(arguments: LossCurve.Scale.allCases) func oddSeriesDoNoHarm(scale: LossCurve.Scale) throws
    {
        let odd: [[LossCurve.Point]] = [
            [], [.init(x: 1, y: .nan)], [.init(x: .infinity, y: 1)], [.init(x: 2, y: 0)],
            [.init(x: 5, y: -3)], points(100) { $0 == 50 ? 1e30 : 1 }, [.init(x: 1e300, y: 1e-300)],
        ]
        for (index, points) in odd.enumerated() {
            let curve = LossCurve(
                title: "t", horizontalName: "Ω", series: [.init(name: "\(index)", points: points)],
                scale: scale)
            #expect(try PNGDecoder().decode(curve.png()).width == 1000)
        }
        let all = LossCurve(
            title: "t", horizontalName: "x",
            series: odd.map { .init(name: "s", points: $0) }, scale: scale)
        #expect(try PNGDecoder().decode(all.png()).height == 560)
    }

    @Test func aWildStepDoesNotFlattenTheRest() throws {
        let curve = LossCurve(
            title: "loss", horizontalName: "step",
            series: [
                .init(name: "train", points: points(4000) { $0 == 7 ? 1e6 : 2 - Double($0) / 4000 })
            ], scale: .logarithmic)
        let image = try PNGDecoder().decode(curve.png())
        let rows = places(image, [0x25, 0x63, 0xEB]).filter { $0.x > 150 && $0.x < 700 }.map(\.y)
        let (lowest, highest) = (try #require(rows.max()), try #require(rows.min()))
        #expect(lowest - highest > 20)
    }
}
