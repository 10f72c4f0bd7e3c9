// Tiled decoding: how far it is from the untiled image, at tile borders and elsewhere.
import ArgumentParser
import TensorCore

@testable import ImagePipeline

struct SeamBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seams",
        abstract: "Differences between tiled and untiled decoding, in levels of 255.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Pixels along a side of the image.")
    var size = 512
    @Option var tileSize = 32
    @Option(help: "Overlaps in latent cells, separated by commas.")
    var overlaps = "4,8,16"
    @Option var prompt = "red heart"

    func run() throws {
        let generator = try ImageGenerator(
            modelFolder: options.model, threadCount: options.threads)
        let side = options.smoke ? 192 : size
        let tile = options.smoke ? 12 : tileSize
        let lists = options.smoke ? [4] : overlaps.split(separator: ",").compactMap { Int($0) }
        let scale = generator.model.autoencoder.configuration.scale
        let latents = try self.latents(generator, side: side)
        var off = TilingOptions()
        off.mode = .off
        let whole = try pixels(generator, latents, off)
        print("\(generator.model.name), \(side)x\(side), tiles of \(tile) cells (scale \(scale))")
        print(
            row([
                "overlap", "blending", "mean at borders", "largest at borders", "mean elsewhere",
                "largest elsewhere", "seam step",
            ]))
        print(row(Array(repeating: "---", count: 7)))
        var hash = SHA256()
        for overlap in lists {
            let plan = TilePlan(extent: side / scale, size: tile, overlap: overlap)
            let borders = Self.borders(plan, scale: scale, side: side)
            for blending in TilingOptions.Blending.allCases {
                var tiling = TilingOptions()
                tiling.mode = .on
                tiling.tileSize = tile
                tiling.overlap = overlap
                tiling.blending = blending
                let tiled = try pixels(generator, latents, tiling)
                hash.update(tiled)
                let near = Difference(whole, tiled, side: side) { borders[$0] || borders[$1] }
                let far = Difference(whole, tiled, side: side) { !borders[$0] && !borders[$1] }
                print(
                    row([
                        "\(overlap)", "\(blending)", format(near.mean), "\(near.maximum)",
                        format(far.mean), "\(far.maximum)",
                        format(Self.seamStep(whole, tiled, plan, scale: scale, side: side)),
                    ]))
            }
        }
        print("result \(hash.finalize())")
    }

    /// Latents of a real generation, so that decoding sees what it is made for.
    private func latents(_ generator: ImageGenerator, side: Int) throws -> Tensor {
        let request = GenerationRequest(
            prompt: prompt, width: side, height: side, stepCount: options.smoke ? 2 : 8,
            guidance: 0, seed: 42)
        let denoising = try Denoising(
            generator: generator, request: request,
            conditioning: try generator.encodePrompts(request), seed: 42, resuming: nil)
        while !denoising.isFinished { try denoising.advance() }
        return denoising.latents
    }

    private func pixels(
        _ generator: ImageGenerator, _ latents: Tensor, _ tiling: TilingOptions
    ) throws -> [UInt8] {
        let decoder = TiledDecoder(
            autoencoder: generator.model.autoencoder, operations: generator.operations,
            options: tiling)
        var pixels: [UInt8] = []
        try decoder.decode(latents) { pixels += PixelRows.bytes($0) }
        return pixels
    }

    /// Whether a pixel coordinate is within one latent cell of where a tile begins or ends.
    private static func borders(_ plan: TilePlan, scale: Int, side: Int) -> [Bool] {
        var borders = [Bool](repeating: false, count: side)
        for edge in edges(plan, scale: scale, side: side) {
            for i in max(0, edge - scale)..<min(side, edge + scale) { borders[i] = true }
        }
        return borders
    }

    private static func edges(_ plan: TilePlan, scale: Int, side: Int) -> [Int] {
        plan.ranges.flatMap { [$0.lowerBound * scale, $0.upperBound * scale] }
            .filter { $0 > 0 && $0 < side }
    }

    /// The mean jump of the error across the edges of tiles: what the eye sees as a seam.
    private static func seamStep(
        _ whole: [UInt8], _ tiled: [UInt8], _ plan: TilePlan, scale: Int, side: Int
    ) -> Double {
        var (sum, count) = (0, 0)
        func error(_ x: Int, _ y: Int, _ c: Int) -> Int {
            let i = (y * side + x) * 3 + c
            return Int(tiled[i]) - Int(whole[i])
        }
        for edge in edges(plan, scale: scale, side: side) {
            for i in 0..<side {
                for c in 0..<3 {
                    sum += abs(error(edge, i, c) - error(edge - 1, i, c))
                    sum += abs(error(i, edge, c) - error(i, edge - 1, c))
                    count += 2
                }
            }
        }
        return Double(sum) / Double(max(count, 1))
    }

    /// Mean and largest absolute difference over the pixels that a test selects.
    private struct Difference {
        var mean = 0.0
        var maximum = 0

        init(_ a: [UInt8], _ b: [UInt8], side: Int, _ isIncluded: (_ x: Int, _ y: Int) -> Bool) {
            var (sum, count) = (0, 0)
            for y in 0..<side {
                for x in 0..<side where isIncluded(x, y) {
                    for i in (y * side + x) * 3..<(y * side + x) * 3 + 3 {
                        let difference = abs(Int(a[i]) - Int(b[i]))
                        sum += difference
                        maximum = max(maximum, difference)
                        count += 1
                    }
                }
            }
            mean = Double(sum) / Double(max(count, 1))
        }
    }
}
