// Latents to rows of pixels, tile by tile.
import TensorCore
import ZImageModel

/// Decodes latents and hands out rows as they are done, so that memory grows with the tile.
struct TiledDecoder {
    let autoencoder: Autoencoder
    let operations: any TensorOperations
    let options: TilingOptions

    /// Takes consecutive rows of an image as [3, rows, width] from −1 to 1.
    typealias RowConsumer = (_ rows: Tensor) throws -> Void

    /// Bytes that decoding a piece of that many latent cells takes at its widest point, beside
    /// weights: the last level's first block holds its input, the normalised input and its output at
    /// full resolution.
    static func estimatedBytes(
        rows: Int, columns: Int, configuration: AutoencoderConfiguration
    ) -> Int {
        let channels = configuration.levelChannels
        let pixels = rows * columns * configuration.scale * configuration.scale
        let before = channels.count > 1 ? channels[1] : channels[0]
        return pixels * 4 * (2 * before + channels[0])
    }

    /// Whether an image of that many latent cells is cut into tiles.
    func usesTiles(rows: Int, columns: Int) -> Bool {
        guard max(rows, columns) > options.tileSize else { return false }
        switch options.mode {
        case .off: return false
        case .on: return true
        case .automatic:
            let bytes = Self.estimatedBytes(
                rows: rows, columns: columns, configuration: autoencoder.configuration)
            return bytes > options.memoryBudget
        }
    }

    /// - Parameters:
    ///   - latents: [channels, height, width] as the transformer makes them
    ///   - onBlock: see `BlockObserver`
    ///   - consume: called with rows from the top down, each once
    func decode(
        _ latents: Tensor, onBlock: BlockObserver? = nil, into consume: RowConsumer
    ) throws {
        let input = autoencoder.denormalize(latents, operations: operations)
        let (height, width) = (latents.shape[1], latents.shape[2])
        guard usesTiles(rows: height, columns: width) else {
            return try consume(
                autoencoder.decode(input, operations: operations, onBlock: onBlock))
        }
        let vertical = TilePlan(
            extent: height, size: options.tileSize, overlap: options.overlap)
        let horizontal = TilePlan(
            extent: width, size: options.tileSize, overlap: options.overlap)
        var band = Band(
            vertical: vertical, horizontal: horizontal, scale: autoencoder.configuration.scale,
            blending: options.blending)
        for (row, rows) in vertical.ranges.enumerated() {
            for (column, columns) in horizontal.ranges.enumerated() {
                let tile = Self.crop(input, rows: rows, columns: columns)
                let pixels = try autoencoder.decode(
                    tile, operations: operations, onBlock: onBlock)
                band.add(pixels, row: row, column: column)
            }
            try band.flush(afterRow: row, consume)
        }
    }

    private static func crop(_ x: Tensor, rows: Range<Int>, columns: Range<Int>) -> Tensor {
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let output = Tensor(uninitialized: [channels, rows.count, columns.count])
        for channel in 0..<channels {
            for (index, row) in rows.enumerated() {
                (output.floats + (channel * rows.count + index) * columns.count).update(
                    from: x.floats + (channel * height + row) * width + columns.lowerBound,
                    count: columns.count)
            }
        }
        return output
    }
}

/// The rows of pixels that tiles still add to: as many as a tile is high.
private struct Band {
    let vertical: TilePlan
    let horizontal: TilePlan
    let scale: Int
    let blending: TilingOptions.Blending
    private let rowSums: [Float]
    private let columnSums: [Float]
    /// [3, rows, width], weighted sums
    private var sums: Tensor
    /// The image row of the band's first row.
    private var start = 0

    init(
        vertical: TilePlan, horizontal: TilePlan, scale: Int, blending: TilingOptions.Blending
    ) {
        self.vertical = vertical
        self.horizontal = horizontal
        self.scale = scale
        self.blending = blending
        rowSums = vertical.weightSums(scale: scale, blending: blending)
        columnSums = horizontal.weightSums(scale: scale, blending: blending)
        sums = Tensor(zeros: [3, vertical.ranges[0].count * scale, columnSums.count])
    }

    /// Adds a decoded tile; the tile row's first pixel row is the band's first.
    mutating func add(_ tile: Tensor, row: Int, column: Int) {
        let rowWeights = vertical.weights(tile: row, scale: scale, blending: blending)
        let columnWeights = horizontal.weights(tile: column, scale: scale, blending: blending)
        let left = horizontal.ranges[column].lowerBound * scale
        let (height, width) = (rowWeights.count, columnWeights.count)
        for channel in 0..<3 {
            for y in 0..<height {
                let source = tile.floats + (channel * height + y) * width
                let target = sums.floats + (channel * height + y) * columnSums.count + left
                for x in 0..<width { target[x] += source[x] * rowWeights[y] * columnWeights[x] }
            }
        }
    }

    /// Hands out the rows that no later tile reaches, and keeps the others for the next tile row.
    mutating func flush(afterRow row: Int, _ consume: TiledDecoder.RowConsumer) throws {
        let isLast = row + 1 == vertical.ranges.count
        let end =
            isLast
            ? vertical.ranges[row].upperBound * scale
            : vertical.ranges[row + 1].lowerBound * scale
        let (height, width) = (sums.shape[1], sums.shape[2])
        let count = end - start
        let rows = Tensor(uninitialized: [3, count, width])
        let kept = Tensor(zeros: sums.shape)
        for channel in 0..<3 {
            for y in 0..<height {
                let source = sums.floats + (channel * height + y) * width
                if y < count {
                    let target = rows.floats + (channel * count + y) * width
                    let rowSum = rowSums[start + y]
                    for x in 0..<width { target[x] = source[x] / (rowSum * columnSums[x]) }
                } else {
                    (kept.floats + (channel * height + y - count) * width).update(
                        from: source, count: width)
                }
            }
        }
        sums = kept
        start = end
        try consume(rows)
    }
}
