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
    @Option(help: "Compute threads; default all processors.")
    var threads: Int?
    @Option(help: "The PNG file; with several images FILE-0.png, FILE-1.png …")
    var output: String?
    @Option(
        help: "Keep the latents of the last step here (safetensors), to go on from after a stop.")
    var latentsOut: String?
    @Option(help: "Go on from latents that --latents-out kept.")
    var latentsIn: String?
    @Option(help: "Stop after this step, without an image; needs --latents-out.")
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
        let (request, preset) = try options.resolve(modelFolder: folder)
        try request.validate(sizeMultiple: 1)
        let paths = try Paths(self, request)
        let threadCount = threads ?? ProcessInfo.processInfo.activeProcessorCount
        guard (1...1024).contains(threadCount) else {
            throw ValidationError("--threads is \(threadCount); use 1 to 1024.")
        }
        let generator = try ImageGenerator(modelFolder: folder, threadCount: threadCount)
        try generator.validate(request)
        let loadSeconds = (ContinuousClock.now - start).seconds
        let report = try generate(generator, request, preset: preset, paths)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let outcome = Outcome(
                loadSeconds: loadSeconds, totalSeconds: (ContinuousClock.now - start).seconds,
                peakResidentBytes: ProcessMemory.peakResidentBytes, report: report,
                files: report.images.map { paths.output[$0.index] })
            print(String(decoding: try encoder.encode(outcome), as: UTF8.self))
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
        _ generator: ImageGenerator, _ request: GenerationRequest, preset: String?, _ paths: Paths
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
        if !paths.latentsIn.isEmpty {
            control.initialState = { image in
                try generator.readState(path: paths.latentsIn[image], for: request)
            }
        }
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
                if !json { print(paths.output[image]) }
            })
    }

    /// The files of each image, checked before any heavy work.
    private struct Paths {
        let output: [String]
        let latentsOut: [String]
        let latentsIn: [String]

        init(_ command: GenerateCommand, _ request: GenerationRequest) throws {
            let imageCount = request.imageCount
            let stops = command.stopAfter.map { $0 < request.stepCount } ?? false
            if command.stopAfter != nil, command.latentsOut == nil {
                throw ValidationError("--stop-after needs --latents-out, or nothing would be left.")
            }
            if let step = command.stopAfter, step < 1 {
                throw ValidationError("--stop-after is \(step); use a step from 1.")
            }
            guard command.output != nil || stops else {
                throw ValidationError("An output file is missing; give --output FILE.png.")
            }
            func numbered(_ path: String?) -> [String] {
                guard let path else { return [] }
                return (0..<imageCount).map {
                    imageCount == 1 ? path : numberedPath(path, $0)
                }
            }
            output = numbered(command.output)
            latentsOut = numbered(command.latentsOut)
            latentsIn = numbered(command.latentsIn)
            for path in output + latentsOut + (command.preview.map { [$0] } ?? []) {
                try AtomicFile.checkWritable(path)
            }
        }
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
