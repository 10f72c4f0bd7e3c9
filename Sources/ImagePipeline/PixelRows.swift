// Colours from −1 to 1 as bytes, and back.
import Glibc
import TensorCore

enum PixelRows {
    /// [3, rows, width] from −1 to 1 → interleaved bytes, row by row: x/2 + 0.5 clamped to 0…1,
    /// times 255, rounded to the nearest level (ties to even), as diffusers' `VaeImageProcessor`.
    static func bytes(_ rows: Tensor) -> [UInt8] {
        let plane = rows.shape[1] * rows.shape[2]
        return [UInt8](unsafeUninitializedCapacity: plane * 3) { buffer, count in
            for channel in 0..<3 {
                let source = rows.floats + channel * plane
                for i in 0..<plane {
                    let unit = min(max(source[i] * 0.5 + 0.5, 0), 1)
                    buffer[3 * i + channel] = UInt8((unit * 255).rounded(.toNearestOrEven))
                }
            }
            count = plane * 3
        }
    }

    /// Interleaved bytes → [3, height, width] from −1 to 1.
    static func tensor(_ bytes: [UInt8], width: Int, height: Int) -> Tensor {
        let plane = width * height
        precondition(bytes.count == 3 * plane)
        let output = Tensor(uninitialized: [3, height, width])
        for channel in 0..<3 {
            for i in 0..<plane {
                output.floats[channel * plane + i] = Float(bytes[3 * i + channel]) / 127.5 - 1
            }
        }
        return output
    }
}
