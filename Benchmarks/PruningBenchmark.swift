// Dynamic attention pruning: what it saves and what it costs.
import ArgumentParser
import Foundation
import TensorCore

@testable import ImagePipeline

struct PruningBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pruning",
        abstract: "Work and time saved by pruning, and PSNR against the unpruned image.")

    @OptionGroup var options: CommonOptions
    @Option var width = 128
    @Option var height = 128
    @Option var steps = 8
    @Option var guidance = 0.0
    @Option(help: "Prompts, separated by |.")
    var prompts = "red heart|cat face|grinning face|green apple"
    @Option(help: "Steps between judgements, separated by commas.")
    var intervals = "4,8"

    func run() throws {
        let generator = try ImageGenerator(
            modelFolder: options.model, threadCount: options.threads)
        let prompts = self.prompts.split(separator: "|").map(String.init)
        let used = options.smoke ? Array(prompts.prefix(1)) : prompts
        let plain = try used.map { try image(generator, $0, nil, .reuse) }
        print(
            "\(generator.model.name), \(width)x\(height), \(steps) steps, guidance \(guidance), "
                + "\(used.count) prompts; medians over prompts")
        print(
            row([
                "criterion", "judged every", "stands in", "heads", "attention saved",
                "work saved", "time saved", "PSNR dB",
            ]))
        print(row(Array(repeating: "---", count: 8)))
        var hash = SHA256()
        for criterion in criteria {
            for interval in intervals.split(separator: ",").compactMap({ Int($0) }) {
                for replacement in [HeadPruner.Replacement.zero, .reuse] {
                    let options = PruningOptions(criterion: criterion, judgingInterval: interval)
                    let results = try used.map { try image(generator, $0, options, replacement) }
                    let quality = zip(results, plain).map { psnr($0.pixels, $1.pixels) }
                    let reports = results.compactMap(\.report)
                    let before = median(plain.map(\.seconds))
                    print(
                        row([
                            "\(criterion)", "\(interval)", "\(replacement)",
                            "\(reports[0].idleHeads)/\(reports[0].heads)",
                            percent(median(reports.map(\.attentionSaved))),
                            percent(median(reports.map(\.workSaved))),
                            percent(1 - median(results.map(\.seconds)) / before),
                            format(median(quality), 1),
                        ]))
                    for result in results { hash.update(result.pixels) }
                }
            }
        }
        print("result \(hash.finalize())")
    }

    private var criteria: [PruningOptions.Criterion] {
        options.smoke
            ? [.share(0.37)] : [.threshold(0.1), .threshold(1), .share(0.1), .share(0.37)]
    }

    private func percent(_ share: Double) -> String { format(100 * share, 1) + " %" }

    private func image(
        _ generator: ImageGenerator, _ prompt: String, _ pruning: PruningOptions?,
        _ replacement: HeadPruner.Replacement
    ) throws -> (pixels: [UInt8], report: PruningReport?, seconds: Double) {
        var request = GenerationRequest(
            prompt: prompt, width: width, height: height, stepCount: steps,
            guidance: Float(guidance), seed: 42)
        request.pruning = pruning
        let conditioning = try generator.encodePrompts(request)
        var denoising: Denoising?
        let elapsed = try seconds {
            let run = try Denoising(
                generator: generator, request: request,
                conditioning: conditioning, seed: request.seed, resuming: nil,
                replacement: replacement)
            while !run.isFinished { try run.advance() }
            denoising = run
        }
        let decoder = TiledDecoder(
            autoencoder: generator.model.autoencoder, operations: generator.operations,
            options: request.tiling)
        var pixels: [UInt8] = []
        try decoder.decode(denoising!.latents) { pixels += PixelRows.bytes($0) }
        return (pixels, denoising!.pruningReport, elapsed)
    }
}

/// Peak signal-to-noise ratio of two images in levels of 255, in dB; infinite when they are equal.
func psnr(_ a: [UInt8], _ b: [UInt8]) -> Double {
    let squares = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    return 10 * log10(255 * 255 * Double(a.count) / squares)
}
