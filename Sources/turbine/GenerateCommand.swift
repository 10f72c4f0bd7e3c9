// `turbine generate`: images in this process, without a broker.
import ArgumentParser
import Foundation
import ImagePipeline

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Generate images in this process, without a broker.")

    @Option(help: "A checkpoint folder; default the model in the box.")
    var model: String?
    @OptionGroup var options: RequestOptions
    @Option(parsing: .unconditional, help: "Compute threads; default all processors.")
    var threads: Int?
    @Option(help: "The PNG file; with several images FILE-0.png, FILE-1.png …")
    var output: String?
    @Option(
        help: "Keep the latents of the last step here (safetensors), to go on from after a stop.")
    var latentsOut: String?
    @Option(help: "Go on from latents that --latents-out kept.")
    var latentsIn: String?
    @Option(
        parsing: .unconditional,
        help: "Stop after this step, without an image; needs --latents-out.")
    var stopAfter: Int?
    @Option(help: "Write a preview PNG here after each step.")
    var preview: String?
    @Flag(help: "Print a report as JSON.")
    var json = false
    @Flag(inversion: .prefixedNo, help: "Write the parameters into the PNG.")
    var metadata = true

    func run() throws {
        let start = ContinuousClock.now
        let folder = try model ?? ResourceLocator.locate(ResourceLocator.defaultModel)
        guard !folder.isEmpty else {
            throw ValidationError("--model is empty; name a checkpoint folder.")
        }
        let (request, preset) = try options.resolve(modelFolder: folder)
        // All that can be told without the model, whose size multiple comes later.
        try request.validate(sizeMultiple: 1)
        let paths = try GeneratePaths(self, request)
        let threadCount = threads ?? ProcessInfo.processInfo.activeProcessorCount
        guard (1...1024).contains(threadCount) else {
            throw ValidationError("--threads is \(threadCount); use 1 to 1024.")
        }
        let generator = try ImageGenerator(modelFolder: folder, threadCount: threadCount)
        try generator.validate(request)
        let states = try readStates(generator, request, paths)
        let loadSeconds = (ContinuousClock.now - start).seconds
        let report = try generate(generator, request, preset: preset, states, paths)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let outcome = Outcome(
                loadSeconds: loadSeconds, totalSeconds: (ContinuousClock.now - start).seconds,
                peakResidentBytes: ProcessMemory.peakResidentBytes, report: report,
                files: report.images.map { paths.output[$0.index] })
            try StandardOutput.write(String(decoding: encoder.encode(outcome), as: UTF8.self))
        }
    }

    /// What each image goes on from; empty for the seeds' noise. Read before any heavy work.
    private func readStates(
        _ generator: ImageGenerator, _ request: GenerationRequest, _ paths: GeneratePaths
    ) throws -> [DenoisingState] {
        try paths.latentsIn.enumerated().map { image, path in
            let state = try generator.readState(path: path, for: request, image: image)
            if let stopAfter, stopAfter <= state.current.step {
                throw ValidationError(
                    "--stop-after is \(stopAfter), but \(GenerationError.quote(path)) is at step "
                        + "\(state.current.step) already; use a later step.")
            }
            return state
        }
    }

    /// The report of `--json`.
    private struct Outcome: Encodable {
        let loadSeconds: Double
        let totalSeconds: Double
        /// Mapped weights included.
        let peakResidentBytes: Int
        let report: GenerationReport
        let files: [String]
    }

    private func generate(
        _ generator: ImageGenerator, _ request: GenerationRequest, preset: String?,
        _ states: [DenoisingState], _ paths: GeneratePaths
    ) throws -> GenerationReport {
        let bar = ProgressBar(isVisible: StandardError.isTerminal)
        Interruption.install()
        var control = GenerationControl()
        control.isCancelled = { Interruption.isRequested }
        control.stopAfterStep = stopAfter
        control.onStep = { event in
            bar.show(
                done: event.image * event.stepCount + event.step,
                total: event.imageCount * event.stepCount, label: "step")
            if !paths.latentsOut.isEmpty {
                try event.denoising.state.write(to: paths.latentsOut[event.image])
            }
            if let preview { try AtomicFile.write(event.preview(), to: preview) }
        }
        if !states.isEmpty { control.initialState = { image in states[image] } }
        defer { bar.clear() }
        return try generator.generate(
            request, control: control,
            output: { image in
                var output = ImageOutput(sink: try AtomicFile(path: paths.output[image]))
                output.hasMetadata = metadata
                output.preset = preset
                output.template = options.template
                return output
            },
            finished: { image, output in
                try (output.sink as? AtomicFile)?.commit()
                bar.clear()
                if !json { try StandardOutput.write(paths.output[image]) }
            })
    }
}

/// Memory of this process as the kernel counts it.
enum ProcessMemory {
    /// The most bytes that were resident at once, mapped files included.
    static var peakResidentBytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
