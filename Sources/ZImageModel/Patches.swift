// Latent images to rows of patches and back.
import TensorCore

/// Source: `_patchify_image` and `unpatchify` of diffusers' `transformer_z_image.py`: a patch is
/// laid out (row, column, channel), the channel fastest.
public enum Patches {
    /// [channels, height, width] → [height/size · width/size, size · size · channels]
    public static func rows(of latents: Tensor, size: Int) -> Tensor {
        let (channels, height, width) = (latents.shape[0], latents.shape[1], latents.shape[2])
        let columns = width / size
        let output = Tensor(
            uninitialized: [height / size * columns, size * size * channels])
        forEachElement(channels, height, width, size) { image, patch in
            output.floats[patch] = latents.floats[image]
        }
        return output
    }

    /// The inverse of `rows(of:size:)`.
    public static func image(
        from rows: Tensor, grid: PatchGrid, size: Int, channels: Int
    ) -> Tensor {
        let (height, width) = (grid.rows * size, grid.columns * size)
        precondition(rows.count == channels * height * width)
        let output = Tensor(uninitialized: [channels, height, width])
        forEachElement(channels, height, width, size) { image, patch in
            output.floats[image] = rows.floats[patch]
        }
        return output
    }

    private static func forEachElement(
        _ channels: Int, _ height: Int, _ width: Int, _ size: Int, _ body: (Int, Int) -> Void
    ) {
        let columns = width / size
        for channel in 0..<channels {
            for y in 0..<height {
                for x in 0..<width {
                    let patch = y / size * columns + x / size
                    let inner = (y % size * size + x % size) * channels + channel
                    body(
                        (channel * height + y) * width + x, patch * size * size * channels + inner)
                }
            }
        }
    }
}
