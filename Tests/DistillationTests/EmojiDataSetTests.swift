// The box model's data set: built from the Debian packages, and what is made from it.
import Checkpoints
import Foundation
import TestSupport
import Testing
import Tokenizers

@testable import Distillation

@Suite(.serialized, .enabled(if: EmojiDataSet.isReady, EmojiDataSet.condition))
struct EmojiDataSetTests {
    @Test func theSetIsWhatItsReadmeSays() throws {
        let folder = TemporaryFiles.path("emoji")
        defer {
            try? FileManager.default.removeItem(
                atPath: (folder as NSString).deletingLastPathComponent)
        }
        let text = try EmojiDataSet.build(folder)
        let readme = try String(
            contentsOfFile: Repository.path("Models/emoji/dataset/README.md"), encoding: .utf8)
        for (count, written) in [(3635, "3,635"), (1860, "1,860"), (1599, "1,599")] {
            #expect(text.contains("\(count) "))
            #expect(readme.contains(written))
        }
        let set = try ImageFolder(path: folder, size: .init(width: 128, height: 128))
        #expect(set.count == 1599)
        #expect(Set(set.entries.map(\.concept)).count == 1598)
        #expect(set.indices(in: [.heldOut]).count == 48)
        #expect(set.indices(in: [.combination]).count == 12)
        try checkCaptions(set, try Combination.read(from: folder))
        // The subject is where the picture is not white.
        let heart = try #require(set.entries.firstIndex { $0.text == "blue heart" })
        #expect(set.maskBytes(at: heart)?[64 * 128 + 64] == 255)
        #expect(set.maskBytes(at: heart)?[0] == 0)
        #expect(set.bytes(at: heart)[0] == 255)
        let metadata = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/metadata.jsonl"))
        _ = try EmojiDataSet.build(folder)
        let again = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/metadata.jsonl"))
        #expect(again == metadata)
    }

    private func checkCaptions(_ set: ImageFolder, _ combinations: [Combination]) throws {
        var owners: [String: String] = [:]
        for entry in set.entries {
            #expect(entry.mainCaption(language: "en") == entry.text)
            #expect(entry.mainCaption(language: "zh") != nil)
            for caption in entry.captions {
                let owner = owners.updateValue(entry.concept, forKey: caption.text)
                #expect(owner == nil || owner == entry.concept, "\(caption.text)")
            }
        }
        #expect(combinations.count == 24)
        let seen = Set(
            set.entries.filter { $0.split != .combination }.flatMap(\.captions).map {
                $0.text.lowercased()
            })
        for each in combinations {
            #expect(!seen.contains(each.text.lowercased()), "\(each.text) is trained on")
            #expect(!seen.contains(try #require(each.chineseText)))
            for known in try #require(each.known) { #expect(seen.contains(known.lowercased())) }
        }
    }

    // MARK: Tokenizer

    /// The reference's trainer learns the same merges from the same captions, and its reader of our
    /// folder makes the same ids.
    @Test func tokenizersEqualTheReferences() throws {
        let set = try EmojiDataSet.shared.get()
        let captions = set.entries.flatMap(\.captions).map(\.text)
        var trainer = BytePairTrainer()
        for caption in captions { trainer.add(caption) }
        let vocabulary = try trainer.train(vocabularySize: 3072)
        #expect(vocabulary.size == 3072)
        let folder = (TemporaryFiles.path("x") as NSString).deletingLastPathComponent
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = try TokenizerTraining(data: set).write(vocabulary, to: folder)
        #expect(report.vocabularySize == 3072)
        let encoder = JSONEncoder()
        let lines = try captions.flatMap { try encoder.encode($0) + [0x0A] }
        try Data(lines).write(to: URL(fileURLWithPath: "\(folder)/texts.jsonl"))
        let answer = try JSONDecoder().decode(
            JSONValue.self,
            from: EmojiDataSet.run([
                Repository.path("Tests/DistillationTests/Scripts/reference_trainer.py"),
                "\(folder)/texts.jsonl", "\(vocabulary.tokens.count)", "\(folder)/tokenizer.json",
            ]))
        let reference = try TrainedVocabulary(reading: answer)
        #expect(reference.tokens == vocabulary.tokens)
        #expect(reference.merges == vocabulary.merges)
        let tokenizer = try Qwen2Tokenizer(directory: URL(fileURLWithPath: folder))
        let ids = try #require(answer["ids"].arrayValue)
        try #require(ids.count == captions.count)
        for (caption, expected) in zip(captions, ids) {
            let own = tokenizer.encode(caption)
            #expect(own.map { .integer(Int($0)) } == expected.arrayValue, "\(caption)")
            #expect(try tokenizer.decode(own, skippingSpecialTokens: false) == caption)
        }
    }

    // MARK: Retrieval

    /// What an imperfect picture of the right thing may differ by.
    enum Distortion: String, CaseIterable {
        case blur, shift, tint, noise, all
    }

    @Test(arguments: Distortion.allCases) func distortedImagesFindThemselves(
        distortion: Distortion
    ) throws {
        let set = try EmojiDataSet.shared.get()
        let retrieval = CaptionRetrieval(data: set)
        var generator = SeededGenerator(seed: 7)
        var score = RetrievalScore()
        for index in stride(from: 0, to: set.count, by: Self.step) {
            let bytes = Self.distort(set.bytes(at: index), distortion, &generator)
            let query = ImageDescriptor(bytes: bytes, size: set.size)
            let rank = try #require(
                retrieval.rank(of: set.entries[index].concept, for: query))
            score.add(rank: rank)
        }
        #expect(score.topOne >= 0.99, "\(distortion): \(score)")
        #expect(score.topFive >= 0.995, "\(distortion): \(score)")
    }

    /// Every so many-th image is tried.
    private static let step = 4

    static func distort(
        _ bytes: [UInt8], _ distortion: Distortion, _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var planes = (0..<3).map { channel in
            bytes[channel * 16_384..<(channel + 1) * 16_384].map(Float.init)
        }
        let isAll = distortion == .all
        if isAll || distortion == .shift {
            let dx = Int.random(in: -2...2, using: &generator)
            let dy = Int.random(in: -2...2, using: &generator)
            planes = planes.map { filtered($0) { plane, x, y in plane(x + dx, y + dy) } }
        }
        if isAll || distortion == .blur {
            // Twice the mean of 3×3: what an autoencoder's loss of detail looks like.
            for _ in 0..<2 {
                planes = planes.map {
                    filtered($0) { plane, x, y in
                        var sum: Float = 0
                        for dy in -1...1 { for dx in -1...1 { sum += plane(x + dx, y + dy) } }
                        return sum / 9
                    }
                }
            }
        }
        if isAll || distortion == .tint {
            planes = planes.map { plane in
                let gain = Float.random(in: 0.93...1.07, using: &generator)
                let offset = Float.random(in: -8...8, using: &generator)
                return plane.map { $0 * gain + offset }
            }
        }
        if isAll || distortion == .noise {
            planes = planes.map { plane in
                plane.map { $0 + Float.random(in: -14...14, using: &generator) }
            }
        }
        return planes.flatMap { plane in plane.map { UInt8(min(max($0, 0), 255) + 0.5) } }
    }

    /// A new plane from one that is white outside.
    private static func filtered(
        _ plane: [Float], _ value: ((_ x: Int, _ y: Int) -> Float, Int, Int) -> Float
    ) -> [Float] {
        let source = { (x: Int, y: Int) -> Float in
            0..<128 ~= x && 0..<128 ~= y ? plane[y * 128 + x] : 255
        }
        return (0..<16_384).map { value(source, $0 % 128, $0 / 128) }
    }
}

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
