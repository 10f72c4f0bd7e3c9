// What the commands of training have in common.
import ArgumentParser
import Autodiff
import Distillation
import Foundation
import ImagePipeline
import TensorCore

/// Options of every stage that follows a recipe.
struct TrainOptions: ParsableArguments {
    @Option(help: "The recipe: a JSON file; docs/training.md lists its keys.")
    var recipe: String
    @Option(help: "The data set: a folder of images with metadata.jsonl.")
    var data: String
    @Option(
        help: "The run's folder: state, log, curve and samples. An unfinished run goes on from it.")
    var run: String
    @Option(help: "Where the finished model goes.")
    var output: String
    @Flag(help: "Go on with a run although recipe, data or models are others than it began with.")
    var acceptChanges = false
    @Option(help: "Compute threads; all processors by default.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); give a number from 1 to 1024.")
        }
    }

    /// Threads and memory for training.
    func team() -> ComputeTeam {
        TensorStorage.keepFreedMemory()
        return ComputeTeam(threadCount: threads)
    }

    /// Runs a stage to its end, or to the first interruption, and exports the model.
    ///
    /// - Parameter inputs: paths of models that it learns from, by option
    func train(
        _ stage: some TrainingStage, _ settings: RunSettings, inputs: [String: String] = [:],
        team: ComputeTeam
    ) throws {
        let text = try String(contentsOfFile: recipe, encoding: .utf8)
        let run = try TrainingRun(
            stage, settings, recipe: text, inputs: inputs.merging(["data": data]) { $1 },
            folder: self.run, acceptsChanges: acceptChanges, team: team)
        if run.step > 0 {
            StandardError.write("turbine: going on from step \(run.step) of \(settings.stepCount)")
        }
        var shown = LongProgress()
        let first = run.step
        Interruption.install()
        TensorStorage.resetPeak()
        let isComplete = try run.run { progress in
            shown.show(
                done: progress.step - first, total: progress.stepCount - first,
                label: String(format: "loss %.4f  step", progress.loss))
            return !Interruption.isRequested
        }
        shown.clear()
        guard isComplete else {
            StandardError.write(
                "turbine: stopped after step \(run.step) of \(settings.stepCount); "
                    + "the same command goes on from there")
            throw ExitCode(130)
        }
        try run.export(to: output)
        let peak = Double(TensorStorage.peakByteCount) / 1_048_576
        try StandardOutput.write(
            String(
                format: "%@: %d steps, at most %.0f MiB of tensors", output, settings.stepCount,
                peak))
    }
}
