// What the autoencoder is trained to make small: differences of pixels, edges, scales and colours.
import Glibc
import TensorCore

/// Weights of the parts of a reconstruction loss, and their sum's gradient.
///
/// All parts but the squared one are mean absolute values of linear maps of the difference d: d
/// itself, the levels of its Laplacian pyramid (Burt & Adelson 1983), its horizontal and vertical
/// steps, and d without its mean over the colours. So the gradient is those maps' transposes
/// applied to signs.
struct PixelLoss: Sendable, Equatable {
    var absolute: Float = 1
    var squared: Float = 0.5
    var pyramid: Float = 1
    var edges: Float = 0.5
    var chroma: Float = 1

    static let names = ["loss", "absolute", "squared", "pyramid", "edges", "chroma"]

    /// - Parameters:
    ///   - image, target: [3, height, width]
    /// - Returns: the values of the parts, the weighted sum first, and the gradient with respect to
    ///   the image
    func callAsFunction(_ image: Tensor, _ target: Tensor) -> (values: [Double], gradient: Tensor) {
        let shape = image.shape
        let (height, width) = (shape[1], shape[2])
        let count = image.count
        var d = [Float](repeating: 0, count: count)
        for i in 0..<count { d[i] = image.floats[i] - target.floats[i] }
        var gradient = [Float](repeating: 0, count: count)
        let n = Float(count)
        var (absoluteSum, squaredSum) = (0.0, 0.0)
        for i in 0..<count {
            absoluteSum += Double(abs(d[i]))
            squaredSum += Double(d[i] * d[i])
            gradient[i] = absolute * sign(d[i]) / n + squared * 2 * d[i] / n
        }
        let pyramidValue = addPyramid(d, height, width, &gradient)
        let edgeValue = addEdges(d, height, width, &gradient)
        let chromaValue = addChroma(d, height * width, &gradient)
        let values = [
            absoluteSum / Double(count), squaredSum / Double(count), pyramidValue, edgeValue,
            chromaValue,
        ]
        let weights = [absolute, squared, pyramid, edges, chroma]
        let total = zip(values, weights).reduce(0) { $0 + $1.0 * Double($1.1) }
        withExtendedLifetime((image, target)) {}
        return ([total] + values, Tensor(gradient, shape: shape))
    }

    private func sign(_ x: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : 0 }

    /// Levels while both sides are even and at least 8: each level's detail, then the rest.
    private func addPyramid(
        _ d: [Float], _ height: Int, _ width: Int, _ gradient: inout [Float]
    ) -> Double {
        var levels: [(signs: [Float], height: Int, width: Int)] = []
        var (current, h, w) = (d, height, width)
        var value = 0.0
        while h % 2 == 0, w % 2 == 0, min(h, w) >= 8 {
            let small = Self.pooled(current, h, w)
            let doubled = Self.doubled(small, h / 2, w / 2)
            var signs = current
            var sum = 0.0
            for i in signs.indices {
                let detail = current[i] - doubled[i]
                sum += Double(abs(detail))
                signs[i] = sign(detail) / Float(signs.count)
            }
            value += sum / Double(signs.count)
            levels.append((signs, h, w))
            (current, h, w) = (small, h / 2, w / 2)
        }
        value += current.reduce(0) { $0 + Double(abs($1)) } / Double(current.count)
        var back = current.map { sign($0) / Float(current.count) }
        for level in levels.reversed() {
            // Pooling's transpose spreads a quarter to each of four pixels; doubling's sums four.
            var combined = back
            let sums = Self.pooled(level.signs, level.height, level.width)
            for i in combined.indices { combined[i] = 0.25 * combined[i] - sums[i] }
            let spread = Self.doubled(combined, level.height / 2, level.width / 2)
            back = level.signs
            for i in back.indices { back[i] += spread[i] }
        }
        for i in gradient.indices { gradient[i] += pyramid * back[i] }
        return value
    }

    private func addEdges(
        _ d: [Float], _ height: Int, _ width: Int, _ gradient: inout [Float]
    ) -> Double {
        let factor = edges / Float(d.count)
        var sum = 0.0
        for line in 0..<3 * height {
            let start = line * width
            let isLastRow = line % height == height - 1
            for x in 0..<width {
                let i = start + x
                if x + 1 < width {
                    let step = d[i + 1] - d[i]
                    sum += Double(abs(step))
                    gradient[i + 1] += factor * sign(step)
                    gradient[i] -= factor * sign(step)
                }
                if !isLastRow {
                    let step = d[i + width] - d[i]
                    sum += Double(abs(step))
                    gradient[i + width] += factor * sign(step)
                    gradient[i] -= factor * sign(step)
                }
            }
        }
        return sum / Double(d.count)
    }

    private func addChroma(_ d: [Float], _ plane: Int, _ gradient: inout [Float]) -> Double {
        let factor = chroma / Float(d.count)
        var sum = 0.0
        for i in 0..<plane {
            let (r, g, b) = (d[i], d[i + plane], d[i + 2 * plane])
            let mean = (r + g + b) / 3
            let signs = (sign(r - mean), sign(g - mean), sign(b - mean))
            sum += Double(abs(r - mean) + abs(g - mean) + abs(b - mean))
            let signMean = (signs.0 + signs.1 + signs.2) / 3
            gradient[i] += factor * (signs.0 - signMean)
            gradient[i + plane] += factor * (signs.1 - signMean)
            gradient[i + 2 * plane] += factor * (signs.2 - signMean)
        }
        return sum / Double(d.count)
    }

    /// The mean of each 2 × 2 block of planes [height][width].
    static func pooled(_ x: [Float], _ height: Int, _ width: Int) -> [Float] {
        var output = [Float](repeating: 0, count: x.count / 4)
        let half = width / 2
        for line in 0..<x.count / width / 2 {
            let source = 2 * line * width
            for column in 0..<half {
                let i = source + 2 * column
                output[line * half + column] =
                    0.25 * ((x[i] + x[i + 1]) + (x[i + width] + x[i + width + 1]))
            }
        }
        return output
    }

    /// Planes [height][width] doubled by nearest neighbours.
    static func doubled(_ x: [Float], _ height: Int, _ width: Int) -> [Float] {
        var output = [Float](repeating: 0, count: x.count * 4)
        for line in 0..<x.count / width {
            for column in 0..<width {
                let value = x[line * width + column]
                let target = 4 * line * width + 2 * column
                output[target] = value
                output[target + 1] = value
                output[target + 2 * width] = value
                output[target + 2 * width + 1] = value
            }
        }
        return output
    }
}

/// Peak signal-to-noise ratio of images from −1 to 1, each clamped, in dB.
func peakSignalToNoise(_ image: Tensor, _ target: Tensor) -> Double {
    var sum = 0.0
    for i in 0..<image.count {
        let difference = Double(max(-1, min(1, image.floats[i]))) - Double(target.floats[i])
        sum += difference * difference
    }
    withExtendedLifetime((image, target)) {}
    return 10 * log10(4 / max(sum / Double(image.count), 1e-12))
}
