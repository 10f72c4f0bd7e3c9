// `turbine worker`: one process, one loaded model, work from a broker.
import ArgumentParser
import Foundation
import ImagePipeline
import WorkerService

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Load a model and generate images for a broker.")

    @Option(help: "The broker's endpoint for workers.")
    var broker = "tcp://127.0.0.1:5571"
    @Option(help: "A checkpoint folder; default the model in the box.")
    var model: String?
    @Option(help: "A name that no other worker of the broker has; default host and process.")
    var name = WorkerOptions.defaultName
    @Option(help: "Compute threads; default all processors.")
    var threads: Int?
    @Option(help: "The largest image to take, in pixels; default what the model can place.")
    var maxPixels: Int?
    @Option(help: "Seconds to finish the job at work when told to stop, before it is handed back.")
    var grace: Double = 20
    @Option(help: "Another preset file.")
    var presets: String?
    @Option(help: "A file or folder with further templates.")
    var templates: [String] = []
    @OptionGroup var keys: KeyOptions
    @Flag(help: .hidden)
    var dieWithParent = false

    func run() throws {
        let threadCount = threads ?? ProcessInfo.processInfo.activeProcessorCount
        guard (1...1024).contains(threadCount) else {
            throw ValidationError("--threads is \(threadCount); use 1 to 1024.")
        }
        guard maxPixels ?? 256 >= 256 else {
            throw ValidationError("--max-pixels is \(maxPixels ?? 0); use at least 256.")
        }
        guard (0...86_400).contains(grace) else {
            throw ValidationError("--grace is \(grace); use 0 to 86400 seconds.")
        }
        guard (1...256).contains(name.utf8.count) else {
            throw ValidationError("--name takes 1 to 256 bytes.")
        }
        let folder = try model ?? ResourceLocator.locate(ResourceLocator.defaultModel)
        let (maxPixels, presets, templates) = (maxPixels, presets, templates)
        Interruption.install()
        if dieWithParent { SupervisorLifeline.watch() }
        // A supervisor names the worker in its log already.
        let prefix = dieWithParent ? "" : "worker: "
        let worker = Worker(
            options: WorkerOptions(
                broker: broker, name: name, security: try keys.security, grace: .seconds(grace)),
            isStopRequested: { Interruption.isRequested },
            log: { StandardError.write(prefix + $0) },
            makeGenerator: {
                try EngineAdapter(
                    modelFolder: folder, threadCount: threadCount, maximumPixels: maxPixels,
                    presets: presets, templates: templates)
            })
        try worker.run()
    }
}
