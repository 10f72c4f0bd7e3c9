// A training's log as a picture: raw points faint, a smoothed line over them.
import Foundation
import ImagePipeline

/// A chart of one or more series of numbers over the same axis.
public struct LossCurve: Sendable {
    /// One line of the chart.
    public struct Series: Sendable, Equatable {
        public var name: String
        /// Points from left to right; those that are no numbers are left out.
        public var points: [Point]

        public init(name: String, points: [Point]) {
            self.name = name
            self.points = points
        }
    }

    public struct Point: Sendable, Equatable {
        public var x: Double
        public var y: Double

        public init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// How values become heights.
    public enum Scale: String, Sendable, CaseIterable {
        case linear
        /// Values from 0 down are left out.
        case logarithmic
    }

    /// What stands above the chart.
    public var title: String
    /// What stands below the horizontal axis.
    public var horizontalName: String
    public var series: [Series]
    public var scale: Scale
    /// Pixels of the picture.
    public var width = 1000
    public var height = 560

    public init(title: String, horizontalName: String, series: [Series], scale: Scale = .linear) {
        self.title = title
        self.horizontalName = horizontalName
        self.series = series
        self.scale = scale
    }

    /// The chart as a PNG file. Without any point it has its axes and says so.
    public func png() throws -> [UInt8] {
        let shown = series.map { series in
            series.points.filter {
                abs($0.x) < Self.largest && abs($0.y) < Self.largest
                    && (scale == .linear || $0.y > 0)
            }
        }
        let smooth = shown.map(Self.smoothed)
        var drawing = LossCurveDrawing(curve: self, points: shown, smooth: smooth)
        drawing.draw()
        return try drawing.canvas.png()
    }

    /// Writes the chart as a PNG file.
    /// - Throws: `GenerationError` when the file cannot be written.
    public func write(to path: String) throws {
        try AtomicFile.write(png(), to: path)
    }

    /// Values beyond are taken for infinite and left out.
    private static let largest = 1e100

    /// Fewer points than this are drawn as they are.
    static let smoothingMinimum = 40

    /// The mean around each point, weighted by a bell curve that is a hundredth of the series wide.
    static func smoothed(_ points: [Point]) -> [Point] {
        guard points.count >= smoothingMinimum else { return points }
        let sigma = max(2, Double(points.count) / 100)
        let reach = Int(3 * sigma)
        let weights = (0...reach).map { offset in
            let share = Double(offset) / sigma
            return exp(-share * share / 2)
        }
        // No more points than a chart has columns to show.
        let step = max(1, points.count / 2000)
        return stride(from: 0, to: points.count, by: step).map { index in
            var (sum, total) = (0.0, 0.0)
            for place in max(0, index - reach)...min(points.count - 1, index + reach) {
                let weight = weights[abs(place - index)]
                sum += weight * points[place].y
                total += weight
            }
            return Point(x: points[index].x, y: sum / total)
        }
    }
}
