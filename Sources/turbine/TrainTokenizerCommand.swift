// `turbine train tokenizer`: captions to a tokenizer folder.
import ArgumentParser
import Distillation
import Foundation
import ImagePipeline

struct TrainTokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer",
        abstract: "Learn a byte-level BPE vocabulary from a data set's captions.")

    @Option(help: "The data set: a folder with metadata.jsonl.")
    var data: String
    @Option(help: "The number of token ids, special tokens included.")
    var vocabulary = 3072
    @Option(help: "The folder to write: tokenizer.json and its companions.")
    var output: String

    func run() throws {
        let training = TokenizerTraining(data: try ImageFolder(path: data))
        let learnt = try training.train(vocabularySize: vocabulary)
        let report = try training.write(learnt, to: output)
        try StandardOutput.write(
            String(
                format: "%@: %d tokens from %d captions; a caption takes %.2f, at most %d",
                output, report.vocabularySize, report.captionCount, report.meanTokenCount,
                report.largestTokenCount))
        if report.vocabularySize < vocabulary {
            StandardError.write(
                "turbine: the captions have pairs for \(report.vocabularySize) tokens only; "
                    + "the model's vocab_size must be at least that")
        }
    }
}
