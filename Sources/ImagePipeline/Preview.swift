// Small pictures of unfinished images.
import TensorCore

extension ImageGenerator {
    /// Pixels along the longer side where none are wished, which costs a fraction of a step.
    private static let previewSide = 128
    /// The most, whatever is wished: decoding it at each step must stay cheap beside the step.
    private static let largestPreviewSide = 256

    /// The estimate of the finished image, its latents averaged down to a small size and decoded,
    /// as PNG bytes.
    func preview(_ denoising: Denoising, maximumSide: Int?) throws -> [UInt8] {
        let side = min(max(maximumSide ?? Self.previewSide, 1), Self.largestPreviewSide)
        let autoencoder = model.autoencoder
        let cells = max(side / autoencoder.configuration.scale, 1)
        let small = Self.reduced(denoising.estimate, to: cells)
        let decoded = try autoencoder.decode(
            autoencoder.denormalize(small, operations: operations), operations: operations)
        let pixels = Self.reduced(decoded, to: side)
        let sink = MemorySink()
        let encoder = try PNGEncoder(
            width: pixels.shape[2], height: pixels.shape[1], compression: 3, to: sink)
        try encoder.write(rows: PixelRows.bytes(pixels))
        try encoder.finish()
        return sink.bytes
    }

    /// Averaged down by the least whole factor that makes the longer side at most `side`.
    private static func reduced(_ x: Tensor, to side: Int) -> Tensor {
        averaged(x, factor: (max(x.shape[1], x.shape[2]) + side - 1) / side)
    }

    /// Means over squares of cells; what does not fill a square at the end is left out.
    static func averaged(_ x: Tensor, factor: Int) -> Tensor {
        guard factor > 1 else { return x }
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let (rows, columns) = (max(height / factor, 1), max(width / factor, 1))
        let output = Tensor(uninitialized: [channels, rows, columns])
        for channel in 0..<channels {
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum: Float = 0
                    var count: Float = 0
                    for y in row * factor..<min((row + 1) * factor, height) {
                        for x0 in column * factor..<min((column + 1) * factor, width) {
                            sum += x.floats[(channel * height + y) * width + x0]
                            count += 1
                        }
                    }
                    output.floats[(channel * rows + row) * columns + column] = sum / count
                }
            }
        }
        return output
    }
}
