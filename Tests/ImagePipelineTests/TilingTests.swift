// Tiled decoding.
import TensorCore
import TestSupport
import Testing
import ZImageModel

@testable import ImagePipeline

@Suite struct TilingTests {
    @Test func tilesCoverAndOverlap() {
        for (extent, size, overlap) in [
            (65, 64, 16), (128, 64, 16), (256, 64, 16), (100, 8, 4), (97, 32, 0), (64, 64, 16),
            (3, 64, 16), (129, 64, 32), (1000, 9, 4),
        ] {
            let plan = TilePlan(extent: extent, size: size, overlap: overlap)
            #expect(plan.ranges.first!.lowerBound == 0)
            #expect(plan.ranges.last!.upperBound == extent)
            #expect(Set(plan.ranges.map(\.count)).count == 1)
            #expect(plan.ranges[0].count <= max(size, 0))
            for (a, b) in zip(plan.ranges, plan.ranges.dropFirst()) {
                #expect(b.lowerBound > a.lowerBound)
                #expect(a.upperBound - b.lowerBound >= overlap, "\(extent) \(size) \(overlap)")
            }
        }
    }

    @Test(arguments: TilingOptions.Blending.allCases)
    func weightSumsArePositive(_ blending: TilingOptions.Blending) {
        let plan = TilePlan(extent: 128, size: 40, overlap: 20)
        let sums = plan.weightSums(scale: 4, blending: blending)
        #expect(sums.count == 512 && sums.allSatisfy { $0 > 0 })
        if blending == .counted { #expect(Set(sums).isSubset(of: [1, 2, 3])) }
    }

    private func decode(
        _ latents: Tensor, _ model: ZImageCheckpoint, _ options: TilingOptions
    ) throws -> (image: Tensor, bands: [Int]) {
        let decoder = TiledDecoder(
            autoencoder: model.autoencoder,
            operations: EagerOperations(pool: ThreadPool(threadCount: 2)), options: options)
        let width = latents.shape[2] * model.autoencoder.configuration.scale
        let height = latents.shape[1] * model.autoencoder.configuration.scale
        let image = Tensor(zeros: [3, height, width])
        var bands: [Int] = []
        try decoder.decode(latents) { rows in
            let (start, count) = (bands.reduce(0, +), rows.shape[1])
            for channel in 0..<3 {
                (image.floats + (channel * height + start) * width).update(
                    from: rows.floats + channel * count * width, count: count * width)
            }
            bands.append(count)
        }
        #expect(bands.reduce(0, +) == height)
        return (image, bands)
    }

    private func options(_ blending: TilingOptions.Blending) -> TilingOptions {
        var options = TilingOptions()
        options.mode = .on
        options.tileSize = 12
        options.overlap = 5
        options.blending = blending
        return options
    }

    /// The streamed result against the plain definition: all tiles' weighted pixels over all
    /// weights.
    @Test(arguments: TilingOptions.Blending.allCases)
    func streamingEqualsTheDefinition(_ blending: TilingOptions.Blending) throws {
        let model = try ZImageCheckpoint(folder: Repository.path("Models/emoji"))
        let channels = model.autoencoder.configuration.latentChannels
        var random = TorchGenerator(seed: 3)
        let latents = Tensor(
            random.normals(channels * 26 * 20), shape: [channels, 26, 20])
        let (image, bands) = try decode(latents, model, options(blending))
        #expect(bands.count > 1)

        let operations = EagerOperations(pool: ThreadPool(threadCount: 2))
        let input = model.autoencoder.denormalize(latents, operations: operations)
        let vertical = TilePlan(extent: 26, size: 12, overlap: 5)
        let horizontal = TilePlan(extent: 20, size: 12, overlap: 5)
        var sums = [Double](repeating: 0, count: 3 * 208 * 160)
        var weights = [Double](repeating: 0, count: 208 * 160)
        for (row, rows) in vertical.ranges.enumerated() {
            for (column, columns) in horizontal.ranges.enumerated() {
                let tile = Tensor(uninitialized: [channels, rows.count, columns.count])
                for c in 0..<channels {
                    for (y, sourceRow) in rows.enumerated() {
                        for (x, sourceColumn) in columns.enumerated() {
                            tile.floats[(c * rows.count + y) * columns.count + x] =
                                input.floats[(c * 26 + sourceRow) * 20 + sourceColumn]
                        }
                    }
                }
                let pixels = try model.autoencoder.decode(tile, operations: operations)
                let wy = vertical.weights(tile: row, scale: 8, blending: blending)
                let wx = horizontal.weights(tile: column, scale: 8, blending: blending)
                for y in 0..<wy.count {
                    for x in 0..<wx.count {
                        let weight = Double(wy[y] * wx[x])
                        let place =
                            (rows.lowerBound * 8 + y) * 160 + columns.lowerBound * 8 + x
                        weights[place] += weight
                        for c in 0..<3 {
                            let value = pixels.floats[(c * wy.count + y) * wx.count + x]
                            sums[c * 208 * 160 + place] += weight * Double(value)
                        }
                    }
                }
            }
        }
        let expected = sums.indices.map { Float(sums[$0] / weights[$0 % (208 * 160)]) }
        #expect(relativeError(image.elements, expected) <= Tolerance.operation)
    }

    @Test func oneTileIsTheUntiledImage() throws {
        let model = try ZImageCheckpoint(folder: Repository.path("Models/emoji"))
        let channels = model.autoencoder.configuration.latentChannels
        var random = TorchGenerator(seed: 3)
        let latents = Tensor(
            random.normals(channels * 16 * 16), shape: [channels, 16, 16])
        var options = TilingOptions()
        options.mode = .off
        let whole = try decode(latents, model, options)
        options.mode = .on
        let tiled = try decode(latents, model, options)
        #expect(whole.image.elements == tiled.image.elements)
    }

    @Test func memoryGrowsWithTheTile() throws {
        let model = try ZImageCheckpoint(folder: Repository.path("Models/emoji"))
        func peak(rows: Int, _ options: TilingOptions) throws -> Int {
            let latents = Tensor(
                zeros: [model.autoencoder.configuration.latentChannels, rows, 32])
            let decoder = TiledDecoder(
                autoencoder: model.autoencoder,
                operations: EagerOperations(pool: ThreadPool(threadCount: 1)), options: options)
            TensorStorage.resetPeak()
            let before = TensorStorage.allocatedByteCount
            try decoder.decode(latents) { _ in }
            return TensorStorage.peakByteCount - before
        }
        var untiled = TilingOptions()
        untiled.mode = .off
        let (tiled, whole) = (
            try peak(rows: 256, options(.counted)), try peak(rows: 256, untiled)
        )
        // Other tests allocate at the same time: the difference here is several times that.
        #expect(whole > tiled * 2, "\(whole) \(tiled)")
    }

    @Test func automaticModeFollowsTheBudget() throws {
        let model = try ZImageCheckpoint(folder: Repository.path("Models/emoji"))
        let operations = EagerOperations(pool: ThreadPool(threadCount: 1))
        func usesTiles(_ cells: Int, budget: Int) -> Bool {
            var options = TilingOptions()
            options.memoryBudget = budget
            let decoder = TiledDecoder(
                autoencoder: model.autoencoder, operations: operations, options: options)
            return decoder.usesTiles(rows: cells, columns: cells)
        }
        #expect(!usesTiles(64, budget: 1))  // not larger than a tile
        #expect(usesTiles(96, budget: 1 << 20))
        #expect(!usesTiles(96, budget: 2 << 30))
    }
}
