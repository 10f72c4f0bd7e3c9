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
    @OptionGroup var settings: WorkerSettingOptions
    @OptionGroup var keys: KeyOptions
    @Flag(help: .hidden)
    var dieWithParent = false

    func run() throws {
        let threadCount = threads ?? ProcessInfo.processInfo.activeProcessorCount
        guard (1...1024).contains(threadCount) else {
            throw ValidationError("--threads is \(threadCount); use 1 to 1024.")
        }
        try settings.check()
        guard (1...256).contains(name.utf8.count) else {
            throw ValidationError("--name takes 1 to 256 bytes.")
        }
        let folder = try model ?? ResourceLocator.locate(ResourceLocator.defaultModel)
        let settings = settings
        Interruption.install()
        if dieWithParent { SupervisorLifeline.watch() }
        // A supervisor names the worker in its log already.
        let prefix = dieWithParent ? "" : "worker: "
        let worker = Worker(
            options: WorkerOptions(
                broker: broker, name: name, security: try keys.security,
                grace: .seconds(settings.grace)),
            isStopRequested: { Interruption.isRequested },
            log: { StandardError.write(prefix + $0) },
            makeGenerator: {
                try EngineAdapter(
                    modelFolder: folder, threadCount: threadCount,
                    maximumPixels: settings.maxPixels,
                    presets: settings.presets, templates: settings.templates)
            })
        try worker.run()
    }
}
