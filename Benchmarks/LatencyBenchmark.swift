// Seconds an image, cold and warm.
import ArgumentParser
import ImagePipeline

struct LatencyBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Milliseconds an image from loading on (cold) and with a loaded model (warm).")

    @OptionGroup var options: CommonOptions
    @Option var width = 128
    @Option var height = 128
    @Option var steps = 8
    @Option var guidance = 0.0
    @Option var repetitions = 15

    func run() throws {
        var request = GenerationRequest(
            prompt: "red heart", width: width, height: height, stepCount: steps,
            guidance: Float(guidance), seed: 42)
        request.pruning = nil
        var report: GenerationReport?
        var cold: [Double] = []
        var warm: [Double] = []
        let count = options.smoke ? 2 : repetitions
        for _ in 0..<count {
            cold.append(
                try seconds {
                    let generator = try ImageGenerator(
                        modelFolder: options.model, threadCount: options.threads)
                    report = try generate(generator, request)
                })
        }
        let generator = try ImageGenerator(
            modelFolder: options.model, threadCount: options.threads)
        for _ in 0..<count {
            warm.append(try seconds { report = try generate(generator, request) })
        }
        let image = report!.images[0]
        print(row(["", "milliseconds, median of \(count)"]))
        print(row(["---", "---"]))
        print(row(["cold: load and generate", format(1000 * median(cold), 1)]))
        print(row(["warm", format(1000 * median(warm), 1)]))
        print(row(["… text", format(1000 * report!.textSeconds, 1)]))
        print(row(["… \(steps) steps", format(1000 * image.seconds.denoising, 1)]))
        print(row(["… decoding", format(1000 * image.seconds.decoding, 1)]))
        print(row(["… PNG", format(1000 * image.seconds.encoding, 1)]))
        print("result \(image.sha256)")
    }

    private func generate(
        _ generator: ImageGenerator, _ request: GenerationRequest
    ) throws -> GenerationReport {
        try generator.generate(request) { _ in ImageOutput(sink: MemorySink()) }
    }
}
