// The data set as the transformer sees it: encoded once, kept as rows of patches.
import Autodiff
import TensorCore
import ZImageModel

/// Latents of images: the means that the autoencoder gives, normalised.
struct LatentSet {
    /// By place in the data set: rows of patches, [patches, patchWidth].
    let patches: [Int: Tensor]
    /// By place: the share of each patch that the subject covers, where there is a mask.
    let subjects: [Int: [Float]]
    let grid: PatchGrid
    /// Latent channels, rows and columns.
    let shape: [Int]

    init(
        _ data: ImageFolder, indices: [Int], _ autoencoder: Autoencoder, patchSize: Int,
        team: ComputeTeam
    ) throws {
        let channels = autoencoder.configuration.latentChannels
        let rows = try team.map(indices.count) { place, operations in
            let moments = try autoencoder.encode(
                data.image(at: indices[place]), operations: operations)
            let latents = autoencoder.normalize(
                moments.rows(0..<channels), operations: operations)
            return Patches.rows(of: latents, size: patchSize)
        }
        let scale = autoencoder.configuration.scale
        shape = [channels, data.size.height / scale, data.size.width / scale]
        grid = PatchGrid(rows: shape[1] / patchSize, columns: shape[2] / patchSize)
        var (patches, subjects) = ([Int: Tensor](), [Int: [Float]]())
        let grid = grid
        for (place, index) in indices.enumerated() {
            patches[index] = rows[place]
            subjects[index] = data.maskBytes(at: index).map {
                Self.coverage($0, data.size, grid)
            }
        }
        self.patches = patches
        self.subjects = subjects
    }

    /// The mean of a mask over each patch's pixels, 0…1.
    private static func coverage(
        _ mask: [UInt8], _ size: ImageFolder.Size, _ grid: PatchGrid
    ) -> [Float] {
        let (cellHeight, cellWidth) = (size.height / grid.rows, size.width / grid.columns)
        return (0..<grid.count).map { patch in
            let (top, left) = (patch / grid.columns * cellHeight, patch % grid.columns * cellWidth)
            var sum = 0
            for y in top..<top + cellHeight {
                for x in left..<left + cellWidth { sum += Int(mask[y * size.width + x]) }
            }
            return Float(sum) / Float(255 * cellHeight * cellWidth)
        }
    }
}
