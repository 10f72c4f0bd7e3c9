// `turbine train`: the stages that make a model.
import ArgumentParser

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a part of a model.",
        subcommands: [
            TrainTokenizerCommand.self, TrainVAECommand.self, TrainTeacherCommand.self,
        ])
}
