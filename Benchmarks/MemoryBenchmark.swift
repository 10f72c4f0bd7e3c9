// Working memory of the stages, beside the mapped weights.
import ArgumentParser
import TensorCore

@testable import ImagePipeline

struct MemoryBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Working memory of one step and of tiled decoding, beside weights.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Pixels along a side for the step.")
    var stepSize = 1024
    @Option(help: "Pixels along a side for decoding.")
    var decodeSize = 2048

    func run() throws {
        let generator = try ImageGenerator(
            modelFolder: options.model, threadCount: options.threads)
        let (stepSide, decodeSide) = options.smoke ? (128, 1024) : (stepSize, decodeSize)
        print(row(["stage", "MiB beside weights", "seconds"]))
        print(row(["---", "---", "---"]))
        let request = GenerationRequest(
            prompt: "a red heart", width: stepSide, height: stepSide, stepCount: 1, guidance: 0,
            seed: 42)
        var result: Tensor?
        try measure("a step at \(stepSide)x\(stepSide)") {
            let denoising = try Denoising(
                generator: generator, request: request,
                conditioning: try generator.encodePrompts(request), seed: 42, resuming: nil)
            try denoising.advance()
            result = denoising.latents
        }
        let scale = generator.model.autoencoder.configuration.scale
        let channels = generator.model.autoencoder.configuration.latentChannels
        let cells = decodeSide / scale
        var random = TorchGenerator(seed: 7)
        let latents = Tensor(
            random.normals(channels * cells * cells), shape: [channels, cells, cells])
        var hash = SHA256()
        try measure("decoding \(decodeSide)x\(decodeSide), tiles of 64 cells") {
            var tiling = TilingOptions()
            tiling.mode = .on
            let decoder = TiledDecoder(
                autoencoder: generator.model.autoencoder, operations: generator.operations,
                options: tiling)
            try decoder.decode(latents) { hash.update(PixelRows.bytes($0)) }
        }
        hash.update(
            result!.elements.flatMap {
                withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
            })
        print("result \(hash.finalize())")
    }

    private func measure(_ name: String, _ body: () throws -> Void) throws {
        TensorStorage.resetPeak()
        let before = TensorStorage.allocatedByteCount
        let elapsed = try seconds(body)
        let bytes = TensorStorage.peakByteCount - before
        print(row([name, format(Double(bytes) / 1048576, 1), format(elapsed, 2)]))
    }
}
