// Training tokenizers: the algorithm by hand, the files, and Hugging Face's trainer and reader.
import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Distillation
@testable import Tokenizers

@Suite struct TokenizerTrainingTests {
    private func text(_ vocabulary: TrainedVocabulary, _ id: Int32) -> String {
        String(decoding: vocabulary.tokens[Int(id)], as: UTF8.self)
    }

    private func merges(_ vocabulary: TrainedVocabulary) -> [[String]] {
        vocabulary.merges.map { [text(vocabulary, $0.left), text(vocabulary, $0.right)] }
    }

    @Test func mergesTheMostFrequentPairFirst() throws {
        var trainer = BytePairTrainer()
        trainer.add("low low low lower")
        trainer.add("newest", count: 2)
        // Pieces: low, " low" twice, " lower", newest twice. l-o and o-w occur 4 times, and "l" has
        // the smaller id; then lo-w 4 times, ␠-low 3 times; then e-s is the first of those that
        // newest has.
        let vocabulary = try trainer.train(vocabularySize: 259 + 4)
        #expect(
            merges(vocabulary) == [["l", "o"], ["lo", "w"], [" ", "low"], ["e", "s"]])
        #expect(vocabulary.size == 263)
        #expect(
            vocabulary.tokens.suffix(4).map { String(decoding: $0, as: UTF8.self) }
                == ["lo", "low", " low", "es"])
    }

    @Test func ofEqualPairsTheSmallerIDsGoFirst() throws {
        var trainer = BytePairTrainer()
        for word in ["zy", "ba", "bc", "!~"] { trainer.add(word, count: 5) }
        let vocabulary = try trainer.train(vocabularySize: 300)
        #expect(merges(vocabulary) == [["!", "~"], ["b", "a"], ["b", "c"], ["z", "y"]])
        #expect(vocabulary.size == 263, "no pair is left")
    }

    @Test func overlappingPairsMergeFromTheLeft() throws {
        var trainer = BytePairTrainer()
        trainer.add("aaaaa", count: 2)
        #expect(
            merges(try trainer.train(vocabularySize: 300)) == [
                ["a", "a"], ["aa", "a"], ["aa", "aaa"],
            ])
    }

    @Test func countsBelowTheMinimumAreLeftAlone() throws {
        var trainer = BytePairTrainer()
        trainer.add("ab cd cd")
        // Of ␠-c and c-d, both twice, "c" has the smaller id: ␠ stands late in the alphabet.
        #expect(merges(try trainer.train(vocabularySize: 300)) == [["c", "d"], [" ", "cd"]])
        let all = try trainer.train(vocabularySize: 300, minimumCount: 1)
        #expect(merges(all) == [["c", "d"], [" ", "cd"], ["a", "b"]])
    }

    @Test func textIsNormalizedFirst() throws {
        var composed = BytePairTrainer()
        composed.add("caf\u{E9} caf\u{E9}")
        var decomposed = BytePairTrainer()
        decomposed.add("cafe\u{301} cafe\u{301}")
        let expected = try composed.train(vocabularySize: 270)
        #expect(try decomposed.train(vocabularySize: 270) == expected)
    }

    @Test(arguments: [0, 258, 1 << 21]) func refusesImpossibleSizes(size: Int) {
        var trainer = BytePairTrainer()
        trainer.add("text")
        #expect(throws: TokenizerError.self) { try trainer.train(vocabularySize: size) }
        #expect(throws: TokenizerError.self) { try BytePairTrainer().train(vocabularySize: 300) }
    }

    /// The box model's vocabulary, written anew, is the box model's folder byte by byte.
    @Test func filesEqualTheBoxModels() throws {
        let folder = Repository.path("Models/emoji/tokenizer")
        let document = try JSONDecoder().decode(
            Checkpoints.JSONValue.self,
            from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/tokenizer.json"))
        )
        let vocabulary = try TrainedVocabulary(reading: document["model"])
        #expect(vocabulary.size == 3072)
        for file in vocabulary.files {
            let expected = try String(contentsOfFile: "\(folder)/\(file.name)", encoding: .utf8)
            #expect(file.text == expected, "\(file.name)")
        }
    }

    private func captionsSet(_ captions: [String]) throws -> DataSetDraft {
        let draft = try DataSetDraft()
        for (index, caption) in captions.enumerated() {
            try draft.addImage("\(index).png")
            let quoted = String(decoding: try JSONEncoder().encode(caption), as: UTF8.self)
            draft.lines.append(#"{"file_name": "\#(index).png", "text": \#(quoted)}"#)
        }
        try draft.finish()
        return draft
    }

    private static let captions = [
        "red heart", "blue heart", "红心", "蓝心", "a \"quoted\" \\ heart", "🙂 smile\n\ttabs",
        "the red heart's heart", "e\u{301}te\u{301}", "12345", "   spaces   ",
    ]

    @Test func aTrainedFolderEncodesAndDecodesItsCaptions() throws {
        let draft = try captionsSet(Self.captions)
        let training = TokenizerTraining(data: try ImageFolder(path: draft.path))
        let vocabulary = try training.train(vocabularySize: 290)
        #expect(try training.train(vocabularySize: 290) == vocabulary)
        let folder = "\(draft.path)/tokenizer/nested"
        let report = try training.write(vocabulary, to: folder)
        #expect(report.vocabularySize == vocabulary.size && report.captionCount == 10)
        let tokenizer = try Qwen2Tokenizer(directory: URL(fileURLWithPath: folder))
        for caption in Self.captions {
            let ids = tokenizer.encode(caption)
            #expect(ids.count <= report.largestTokenCount)
            let decoded = try tokenizer.decode(ids, skippingSpecialTokens: false)
            #expect(decoded.utf8.elementsEqual(caption.precomposedStringWithCanonicalMapping.utf8))
        }
        let chat = tokenizer.encodeChat(prompt: "red heart")
        #expect(chat.first == Int32(vocabulary.size - 2))
        #expect(chat.contains(Int32(vocabulary.size - 1)))
    }

    /// Captions kept from training are not looked at.
    @Test func combinationsAreNotLearntFrom() throws {
        let draft = try captionsSet(["zzzz zzzz zzzz", "red red red red"])
        draft.lines[0] = draft.lines[0].replacingOccurrences(
            of: "}", with: #", "split": "combination"}"#)
        let data = try ImageFolder(path: draft.finish())
        let vocabulary = try TokenizerTraining(data: data).train(vocabularySize: 300)
        #expect(merges(vocabulary).contains(["e", "d"]))
        #expect(!merges(vocabulary).contains(["z", "z"]))
    }
}

extension TrainedVocabulary {
    /// Reads the `model` of a tokenizer.json.
    init(reading model: Checkpoints.JSONValue) throws {
        var byteOfScalar: [Unicode.Scalar: UInt8] = [:]
        var extra: UInt32 = 0x100
        for byte in UInt8.min...UInt8.max {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: byteOfScalar[Unicode.Scalar(byte)] = byte
            default:
                byteOfScalar[try #require(Unicode.Scalar(extra))] = byte
                extra += 1
            }
        }
        let vocabulary = try #require(model["vocab"].objectValue)
        var tokens = [[UInt8]](repeating: [], count: vocabulary.count)
        for (token, id) in vocabulary {
            tokens[try #require(id.intValue)] = token.unicodeScalars.compactMap {
                byteOfScalar[$0]
            }
        }
        let merges = try #require(model["merges"].arrayValue).map { pair in
            let ids = try #require(pair.arrayValue).map { token in
                Int32(try #require(token.stringValue.flatMap { vocabulary[$0]?.intValue }))
            }
            return Merge(left: ids[0], right: ids[1])
        }
        self.init(tokens: tokens, merges: merges)
    }
}
