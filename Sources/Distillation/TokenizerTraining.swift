// A data set's captions → a tokenizer folder.
import Foundation
import ImagePipeline
import Tokenizers

/// Trains a tokenizer on the captions of a data set.
public struct TokenizerTraining: Sendable {
    /// What came out.
    public struct Report: Sendable, Equatable {
        /// The ids of the tokenizer, special tokens included.
        public let vocabularySize: Int
        /// The captions it was trained on.
        public let captionCount: Int
        /// Tokens of a caption: the mean over what training draws, and the most.
        public let meanTokenCount: Double
        public let largestTokenCount: Int
    }

    /// How often a caption of weight 1 counts; one of weight 0 is left out, others count once at
    /// least.
    private static let weightScale = 100.0

    private let captions: [ImageCaption]

    /// - Parameter data: all captions of all images that training may draw count, by their weights.
    public init(data: ImageFolder) {
        captions = data.indices(in: [.train, .heldOut]).flatMap { data.entries[$0].captions }
            .filter { $0.weight > 0 }
    }

    /// Learns a vocabulary. The same captions always give the same one.
    /// - Parameter vocabularySize: the ids, special tokens included. The vocabulary is smaller
    ///   where the captions have no further pair of tokens that occurs twice.
    /// - Throws: `TokenizerError` for a size out of range.
    public func train(vocabularySize: Int) throws -> TrainedVocabulary {
        var trainer = BytePairTrainer()
        for caption in captions {
            let count = max(1, (caption.weight * Self.weightScale).rounded())
            trainer.add(caption.text, count: Int(count))
        }
        return try trainer.train(vocabularySize: vocabularySize)
    }

    /// Writes a vocabulary as a tokenizer folder, which is made if it is not there; then reads it
    /// back and counts the captions' tokens.
    /// - Throws: `TrainingError` when the folder cannot be made, `GenerationError` when a file
    ///   cannot be written.
    public func write(_ vocabulary: TrainedVocabulary, to folder: String) throws -> Report {
        try TrainingError.makeFolder(folder)
        for file in vocabulary.files {
            try AtomicFile.write(file.text.utf8, to: "\(folder)/\(file.name)")
        }
        let tokenizer = try Qwen2Tokenizer(directory: URL(fileURLWithPath: folder))
        let counts = captions.map { tokenizer.encode($0.text).count }
        let weights = captions.map(\.weight)
        let sum = zip(counts, weights).reduce(0) { $0 + Double($1.0) * $1.1 }
        return Report(
            vocabularySize: tokenizer.vocabularySize, captionCount: captions.count,
            meanTokenCount: sum / max(weights.reduce(0, +), .leastNormalMagnitude),
            largestTokenCount: counts.max() ?? 0)
    }
}
