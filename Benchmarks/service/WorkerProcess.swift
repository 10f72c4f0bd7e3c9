// The worker of a benchmark: the real one with an engine that only sleeps, in a process of its own.

import ArgumentParser
import Foundation
import WireProtocol
import WorkerService

struct WorkerProcess: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-worker", shouldDisplay: false)

    @Option var broker: String
    @Option var name: String
    @Option var blockMilliseconds = 0
    @Option var blocks = 1
    @Option var latentBytes = 1024
    @Option var imageBytes = 1024

    func run() throws {
        let engine = StubEngine.Options(
            blockMilliseconds: blockMilliseconds, blocks: blocks, latentBytes: latentBytes,
            imageBytes: imageBytes)
        let worker = Worker(options: WorkerOptions(broker: broker, name: name, host: "localhost")) {
            StubEngine(engine)
        }
        ChildProcess.inBackground { try worker.run() }
        ChildProcess.serve(name)
    }

    /// Starts one.
    static func start(
        _ broker: BenchmarkBroker, name: String, _ options: [String] = []
    ) throws -> ChildProcess {
        try ChildProcess(
            ["serve-worker", "--broker", broker.workerEndpoint, "--name", name] + options)
    }
}

/// An engine that sleeps for each block of each step, and returns bytes that depend on the seed. A
/// job of one step takes no time.
private final class StubEngine: ImageGenerating {
    struct Options: Sendable {
        var blockMilliseconds: Int
        var blocks: Int
        var latentBytes: Int
        var imageBytes: Int
    }

    let capabilities = WorkerCapabilities(
        model: ModelDescription(name: "stub", hash: "stub", numericsClass: "stub"))
    private let options: Options

    init(_ options: Options) { self.options = options }

    func warmUp() throws -> Double? { nil }

    func generate(_ work: WorkOrder, control: WorkControl) throws -> WorkSummary {
        let steps = Int(work.request.steps ?? 1)
        var step = Int(work.resume?.step ?? 0)
        while step < steps {
            for _ in 0..<(steps == 1 ? 0 : options.blocks) {
                if control.isCancelled() { throw WorkerError.cancellation }
                if options.blockMilliseconds > 0 {
                    Thread.sleep(forTimeInterval: Double(options.blockMilliseconds) / 1e3)
                }
            }
            step += 1
            let latents = [UInt8](
                repeating: UInt8(truncatingIfNeeded: step), count: options.latentBytes)
            control.onStep(
                WorkStep(
                    imageIndex: 0, imageCount: 1, step: step, stepCount: steps,
                    seconds: Double(options.blocks * options.blockMilliseconds) / 1e3,
                    resume: ResumeState(step: UInt32(step), latents: latents)))
        }
        control.onImage(image(work.request), true)
        return WorkSummary(imageCount: 1, seconds: StageSeconds())
    }

    private func image(_ request: GenerationRequest) -> GeneratedImage {
        let seed = request.seed ?? 0
        return GeneratedImage(
            seed: seed, width: request.width ?? 512, height: request.height ?? 512,
            png: [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: options.imageBytes),
            pixelSHA256: [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 32))
    }
}
