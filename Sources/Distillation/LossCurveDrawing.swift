// Puts a chart's parts onto a canvas.

struct LossCurveDrawing {
    private(set) var canvas: PixelCanvas
    private let curve: LossCurve
    private let points: [[LossCurve.Point]]
    private let smooth: [[LossCurve.Point]]
    private let horizontal: ChartAxis
    private let vertical: ChartAxis
    /// Where the lines are: columns and rows of the canvas.
    private let frame: (x: Range<Int>, y: Range<Int>)

    private static let ground = PixelColor(0xFFFFFF)
    private static let grid = PixelColor(0xE4E7EB)
    private static let axis = PixelColor(0x6B7280)
    private static let ink = PixelColor(0x1F2933)
    private static let colors = [
        0x2563EB, 0xEA580C, 0x059669, 0xC026D3, 0xB45309, 0x0891B2, 0xDC2626, 0x4B5563,
    ].map { PixelColor($0) }

    init(curve: LossCurve, points: [[LossCurve.Point]], smooth: [[LossCurve.Point]]) {
        self.curve = curve
        self.points = points
        self.smooth = smooth
        let width = max(curve.width, 320)
        let height = max(curve.height, 240)
        canvas = PixelCanvas(width: width, height: height, background: Self.ground)
        frame = (x: 84..<width - 24, y: 52..<height - 64)
        horizontal = ChartAxis(
            holding: Self.range(points.joined().map(\.x)), scale: .linear, room: 0)
        vertical = ChartAxis(
            holding: Self.shownRange(points, smooth), scale: curve.scale, room: 0.05)
    }

    private static func range(_ values: [Double]) -> ClosedRange<Double>? {
        guard let low = values.min(), let high = values.max() else { return nil }
        return low...high
    }

    /// All values of short series; of long ones all but the outermost hundredths, and where they
    /// end: one wild step would press all the rest flat.
    private static func shownRange(
        _ points: [[LossCurve.Point]], _ smooth: [[LossCurve.Point]]
    ) -> ClosedRange<Double>? {
        var values: [Double] = []
        for (series, line) in zip(points, smooth) {
            let sorted = series.map(\.y).sorted()
            if sorted.count < LossCurve.smoothingMinimum {
                values += sorted
            } else {
                let cut = max(1, sorted.count / 100)
                values += [sorted[cut], sorted[sorted.count - 1 - cut]] + line.suffix(1).map(\.y)
            }
        }
        return range(values)
    }

    mutating func draw() {
        drawGrid()
        for index in points.indices { drawPoints(index) }
        for index in smooth.indices { drawLine(index) }
        drawAxes()
        drawLegend()
        canvas.write(curve.title, x: frame.x.lowerBound, y: 18, Self.ink, scale: 2)
    }

    // MARK: Axes

    private func column(_ value: Double) -> Float {
        Float(frame.x.lowerBound) + Float(horizontal.share(value)) * Float(frame.x.count - 1)
    }

    /// Far outside the frame all values are one.
    private func row(_ value: Double) -> Float {
        let share = Float(min(max(vertical.share(value), -10), 10))
        return Float(frame.y.upperBound - 1) - share * Float(frame.y.count - 1)
    }

    private mutating func drawGrid() {
        for mark in vertical.marks(count: 7) {
            let y = Int(row(mark).rounded())
            canvas.fill(x: frame.x.lowerBound, y: y, width: frame.x.count, height: 1, Self.grid)
            canvas.write(
                ChartAxis.text(mark), x: frame.x.lowerBound - 10, y: y - 6, Self.axis, scale: 2,
                alignment: .right)
        }
        for mark in horizontal.marks(count: 8) {
            let x = Int(column(mark).rounded())
            canvas.fill(x: x, y: frame.y.lowerBound, width: 1, height: frame.y.count, Self.grid)
            canvas.write(
                ChartAxis.text(mark), x: x, y: frame.y.upperBound + 10, Self.axis, scale: 2,
                alignment: .center)
        }
    }

    private mutating func drawAxes() {
        canvas.fill(
            x: frame.x.lowerBound, y: frame.y.upperBound - 1, width: frame.x.count, height: 1,
            Self.axis)
        canvas.fill(
            x: frame.x.lowerBound, y: frame.y.lowerBound, width: 1, height: frame.y.count, Self.axis
        )
        canvas.write(
            curve.horizontalName, x: frame.x.lowerBound + frame.x.count / 2,
            y: frame.y.upperBound + 36, Self.ink, scale: 2, alignment: .center)
    }

    // MARK: Series

    private static func color(_ index: Int) -> PixelColor { colors[index % colors.count] }

    private mutating func drawPoints(_ index: Int) {
        let isDense = points[index].count >= LossCurve.smoothingMinimum
        for point in points[index] {
            let (x, y) = (column(point.x), row(point.y))
            guard y > Float(frame.y.lowerBound), y < Float(frame.y.upperBound - 2) else { continue }
            if isDense {
                for (right, down) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    canvas.blend(
                        x: Int(x) + right, y: Int(y) + down, Self.color(index), share: 0.16)
                }
            } else {
                canvas.fill(x: Int(x) - 2, y: Int(y) - 2, width: 5, height: 5, Self.color(index))
            }
        }
    }

    private mutating func drawLine(_ index: Int) {
        let line = smooth[index].map { (x: column($0.x) + 0.5, y: row($0.y) + 0.5) }
        canvas.stroke(line, Self.color(index), thickness: 2.2, within: frame)
    }

    /// Names with the last smoothed values, at the upper right.
    private mutating func drawLegend() {
        let texts = zip(curve.series, smooth).map { series, line in
            line.last.map { "\(series.name) \(ChartAxis.text($0.y))" }
                ?? "\(series.name): no points"
        }
        guard let length = texts.map({ BitmapFont.width(of: $0, scale: 2) }).max() else { return }
        let (boxWidth, boxHeight) = (length + 54, texts.count * 22 + 12)
        let (left, top) = (frame.x.upperBound - boxWidth - 8, frame.y.lowerBound + 8)
        canvas.fill(x: left, y: top, width: boxWidth, height: boxHeight, Self.grid)
        canvas.fill(
            x: left + 1, y: top + 1, width: boxWidth - 2, height: boxHeight - 2, Self.ground)
        for (index, text) in texts.enumerated() {
            let y = top + 10 + index * 22
            canvas.fill(x: left + 10, y: y + 5, width: 24, height: 4, Self.color(index))
            canvas.write(text, x: left + 44, y: y, Self.ink, scale: 2)
        }
    }
}
