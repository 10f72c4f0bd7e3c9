// `turbine evaluate`: figures about a model, and a sheet to look at.
import ArgumentParser
import Autodiff
import Distillation
import Foundation
import ImagePipeline

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure caption retrieval, distance to a teacher and reconstruction.")

    @Option(help: "The checkpoint folder.")
    var model: String
    @Option(help: "The data set, in which each picture's nearest image is looked for.")
    var data: String
    @Option(help: "Denoising steps.")
    var steps = 8
    @Option(help: "Guidance; 0 for none.")
    var guidance: Float = 0
    @Option(help: "Seed of the first picture.")
    var seed: UInt64 = 1
    @Option(help: "Concepts to try at most, spread over the data set.")
    var concepts = 100_000
    @Option(help: "A group or subgroup of the data set to keep to; may be repeated.")
    var group: [String] = []
    @Option(help: "A checkpoint to measure the distance to.")
    var teacher: String?
    @Option(help: "The teacher's steps.")
    var teacherSteps = 50
    @Option(help: "The teacher's guidance.")
    var teacherGuidance: Float = 2
    @Option(help: "Pictures to compare with the teacher's at most, spread over the concepts.")
    var compared = 64
    @Option(help: "Compute threads; all processors by default.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: "The folder for evaluation.json, sheet.png and sheet.txt.")
    var output: String

    func validate() throws {
        for (name, value) in [("steps", steps), ("teacher-steps", teacherSteps)] {
            guard (1...1000).contains(value) else {
                throw ValidationError("--\(name) is \(value); give a number from 1 to 1000.")
            }
        }
        for (name, value) in [("guidance", guidance), ("teacher-guidance", teacherGuidance)] {
            guard value.isFinite, value >= 0 else {
                throw ValidationError("--\(name) is \(value); give a number from 0 on.")
            }
        }
        guard concepts >= 1, compared >= 1, (1...1024).contains(threads) else {
            throw ValidationError(
                "--concepts, --compared and --threads are at least 1, threads at most 1024.")
        }
    }

    func run() throws {
        try TrainingError.makeFolder(output)
        let evaluation = try Evaluation(
            folder: model, data: try ImageFolder(path: data), groups: group,
            team: ComputeTeam(threadCount: threads))
        var shown = LongProgress()
        defer { shown.clear() }
        let result = try evaluation.run(
            SamplingPlan(steps: steps, guidance: guidance), seed: seed, limit: concepts,
            teacher: teacher.map {
                ($0, SamplingPlan(steps: teacherSteps, guidance: teacherGuidance))
            },
            comparedLimit: compared,
            onImage: { shown.show(done: $0, total: $1, label: "image") })
        shown.clear()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let report = try encoder.encode(result.report)
        try AtomicFile.write(report + Data("\n".utf8), to: output + "/evaluation.json")
        try result.sheet.write(to: output + "/sheet.png")
        try result.combinations?.write(to: output + "/combinations.png")
        try StandardOutput.write(String(decoding: report, as: UTF8.self))
    }
}
