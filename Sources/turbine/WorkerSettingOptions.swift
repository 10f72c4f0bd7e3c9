// What a worker takes and how it stops, for the commands that run one.
import ArgumentParser

/// The settings that all workers of one service share.
struct WorkerSettingOptions: ParsableArguments {
    @Option(help: "The largest image to take, in pixels; default what the model can place.")
    var maxPixels: Int?
    @Option(help: "Seconds to finish the job at work when told to stop, before it is handed back.")
    var grace: Double = 20
    @Option(help: "Another preset file.")
    var presets: String?
    @Option(help: "A file or folder with further templates.")
    var templates: [String] = []

    /// - Throws: `ValidationError` for a number out of its range.
    func check() throws {
        guard maxPixels ?? 256 >= 256 else {
            throw ValidationError("--max-pixels is \(maxPixels ?? 0); use at least 256.")
        }
        guard (0...86_400).contains(grace) else {
            throw ValidationError("--grace is \(grace); use 0 to 86400 seconds.")
        }
    }

    /// The options again, for a command line of `turbine worker`.
    var arguments: [String] {
        let pixels = maxPixels.map { ["--max-pixels=\($0)"] } ?? []
        let files =
            (presets.map { ["--presets=\($0)"] } ?? []) + templates.map { "--templates=\($0)" }
        return pixels + ["--grace=\(grace)"] + files
    }
}
