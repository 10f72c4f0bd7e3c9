// An RGB picture to draw on: rectangles, lines with soft edges, text in a small bitmap font.
import ImagePipeline

/// A colour, 8 bits a channel.
struct PixelColor: Sendable, Equatable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    init(_ hexadecimal: UInt32) {
        red = UInt8(truncatingIfNeeded: hexadecimal >> 16)
        green = UInt8(truncatingIfNeeded: hexadecimal >> 8)
        blue = UInt8(truncatingIfNeeded: hexadecimal)
    }
}

/// Pixels from the top left; what lies outside is cut off.
struct PixelCanvas {
    let width: Int
    let height: Int
    /// (height, width, RGB).
    private(set) var pixels: [UInt8]

    init(width: Int, height: Int, background: PixelColor) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: background.red, count: width * height * 3)
        fill(x: 0, y: 0, width: width, height: height, background)
    }

    /// The picture as a PNG file.
    func png() throws -> [UInt8] {
        try PNGEncoder.encode(pixels: pixels, width: width, height: height)
    }

    mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: PixelColor) {
        for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
            for column in max(x, 0)..<max(min(x + width, self.width), max(x, 0)) {
                let start = (row * self.width + column) * 3
                pixels[start] = color.red
                pixels[start + 1] = color.green
                pixels[start + 2] = color.blue
            }
        }
    }

    /// Lays a colour over a pixel, by its share.
    mutating func blend(x: Int, y: Int, _ color: PixelColor, share: Float) {
        guard 0..<width ~= x, 0..<height ~= y, share > 0 else { return }
        let start = (y * width + x) * 3
        for (offset, value) in [color.red, color.green, color.blue].enumerated() {
            let old = Float(pixels[start + offset])
            pixels[start + offset] = UInt8(old + (Float(value) - old) * min(share, 1) + 0.5)
        }
    }

    /// Copies an image of planes (3, height, width), each pixel `scale` by `scale`.
    mutating func draw(planes: [UInt8], width: Int, height: Int, x: Int, y: Int, scale: Int = 1) {
        let count = width * height
        for row in 0..<height * scale {
            for column in 0..<width * scale {
                guard x + column < self.width, y + row < self.height else { continue }
                let source = row / scale * width + column / scale
                let target = ((y + row) * self.width + x + column) * 3
                for channel in 0..<3 { pixels[target + channel] = planes[channel * count + source] }
            }
        }
    }

    /// Where text starts, relative to its anchor.
    enum Alignment { case left, center, right }

    /// Writes text whose top stands at `y`.
    mutating func write(
        _ text: String, x: Int, y: Int, _ color: PixelColor, scale: Int = 1,
        alignment: Alignment = .left
    ) {
        let length = BitmapFont.width(of: text, scale: scale)
        var left = x
        if alignment == .right { left -= length }
        if alignment == .center { left -= length / 2 }
        for scalar in text.unicodeScalars {
            for (column, bits) in BitmapFont.columns(of: scalar).enumerated() {
                for row in 0..<BitmapFont.height where bits >> UInt8(row) & 1 == 1 {
                    fill(
                        x: left + column * scale, y: y + row * scale, width: scale, height: scale,
                        color)
                }
            }
            left += BitmapFont.advance * scale
        }
    }

    /// Draws a connected line through points given in pixels, cut to a rectangle.
    mutating func stroke(
        _ points: [(x: Float, y: Float)], _ color: PixelColor, thickness: Float,
        within frame: (x: Range<Int>, y: Range<Int>)
    ) {
        // Coverage is gathered first, so that joints do not get darker.
        var coverage = [Float](repeating: 0, count: width * height)
        for (start, end) in zip(points, points.dropFirst()) {
            cover(from: start, to: end, thickness, frame, &coverage)
        }
        for y in frame.y {
            for x in frame.x where coverage[y * width + x] > 0 {
                blend(x: x, y: y, color, share: coverage[y * width + x])
            }
        }
    }

    private func cover(
        from start: (x: Float, y: Float), to end: (x: Float, y: Float), _ thickness: Float,
        _ frame: (x: Range<Int>, y: Range<Int>), _ coverage: inout [Float]
    ) {
        let reach = thickness / 2 + 1
        func clamp(_ value: Float, _ range: Range<Int>) -> Int {
            Int(min(max(value, Float(range.lowerBound)), Float(range.upperBound)))
        }
        let columns =
            clamp(
                min(start.x, end.x) - reach, frame.x)..<clamp(
                max(start.x, end.x) + reach + 1, frame.x)
        let rows =
            clamp(
                min(start.y, end.y) - reach, frame.y)..<clamp(
                max(start.y, end.y) + reach + 1, frame.y)
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let squared = dx * dx + dy * dy
        for y in rows {
            for x in columns {
                let (px, py) = (Float(x) + 0.5 - start.x, Float(y) + 0.5 - start.y)
                let along = squared > 0 ? min(max((px * dx + py * dy) / squared, 0), 1) : 0
                let (ex, ey) = (px - along * dx, py - along * dy)
                let share = thickness / 2 + 0.5 - (ex * ex + ey * ey).squareRoot()
                let place = y * width + x
                coverage[place] = max(coverage[place], min(max(share, 0), 1))
            }
        }
    }
}
