// Equality with the Hugging Face tokenizer on real and random text. The reference runs in Python:
// set TURBINE_TEST_PYTHON to an interpreter that has `tokenizers` and `dashscope`.

import Foundation
import Testing

@testable import Tokenizers

@Suite(.serialized) struct ReferenceComparisonTests {
    private static let python = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"]
    /// From the Debian package unicode-cldr-core.
    private static let cldr = "/usr/share/unicode/cldr/common"
    private static var isReady: Bool {
        python?.isEmpty == false && FileManager.default.fileExists(atPath: cldr)
    }

    /// Runs a script and returns the file with its standard output.
    private func run(
        _ script: String, _ arguments: [String], input: URL? = nil, output: URL
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        let path = Repository.scripts.appendingPathComponent(script).path
        process.arguments = [path] + arguments
        try Data().write(to: output)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardInput = try input.map(FileHandle.init(forReadingFrom:)) ?? .nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script) failed")
    }

    /// Requires equal ids for all texts of a file, and returns how many ids there were.
    private func compare(
        _ texts: URL, _ tokenizer: URL, in folder: TemporaryFolder
    ) throws -> Int {
        let answers = folder.url.appendingPathComponent("ids.jsonl")
        try run("reference_ids.py", [tokenizer.path], input: texts, output: answers)
        let own = try Qwen2Tokenizer(directory: tokenizer)
        let lines = try JSONLines.strings(in: texts)
        var mismatches = 0
        var lineCount = 0
        var idCount = 0
        try JSONLines.forEachIDs(in: answers) { index, expected in
            let ids = own.encode(lines[index])
            if ids != expected {
                mismatches += 1
                let place = zip(ids, expected).enumerated().first { $1.0 != $1.1 }?.offset
                let first = place ?? min(ids.count, expected.count)
                if mismatches <= 5 { Issue.record("line \(index) differs, first at id \(first)") }
            }
            lineCount += 1
            idCount += ids.count
        }
        #expect(mismatches == 0)
        #expect(lineCount == lines.count)
        return idCount
    }

    @Test(.enabled(if: isReady, "needs TURBINE_TEST_PYTHON and unicode-cldr-core"))
    func equalsReferenceOnRealAndRandomText() throws {
        let folder = try TemporaryFolder()
        let real = folder.url.appendingPathComponent("cldr.jsonl")
        try run("reference_texts.py", ["cldr", Self.cldr], output: real)
        let random = folder.url.appendingPathComponent("random.jsonl")
        try run("reference_texts.py", ["random", "20000", "2026"], output: random)
        let qwen = folder.url.appendingPathComponent("qwen")
        let log = folder.url.appendingPathComponent("log")
        try run("build_qwen_vocabulary.py", [qwen.path], output: log)

        #expect(try compare(real, Repository.boxTokenizer, in: folder) > 10_000_000)
        #expect(try compare(real, qwen, in: folder) > 5_000_000)
        #expect(try compare(random, Repository.boxTokenizer, in: folder) > 500_000)
        #expect(try compare(random, qwen, in: folder) > 500_000)
    }

    @Test(.enabled(if: isReady, "needs TURBINE_TEST_PYTHON and unicode-cldr-core"))
    func loadsTheRealVocabularyFromEitherForm() throws {
        let folder = try TemporaryFolder()
        let separate = folder.url.appendingPathComponent("separate")
        let whole = folder.url.appendingPathComponent("whole")
        let log = folder.url.appendingPathComponent("log")
        try run("build_qwen_vocabulary.py", [separate.path], output: log)
        try run("build_qwen_vocabulary.py", [whole.path, "--json"], output: log)
        let first = try Qwen2Tokenizer(directory: separate)
        let second = try Qwen2Tokenizer(directory: whole)
        // Ids of the published Qwen2 and Qwen3 vocabularies.
        let text = "Hello, world! \u{4F60}\u{597D}\u{FF0C}\u{4E16}\u{754C}<think>"
        let ids: [Int32] = [9707, 11, 1879, 0, 220, 108_386, 3837, 99_489, 151_667]
        for tokenizer in [first, second] {
            #expect(tokenizer.vocabularySize == 151_669)
            #expect(tokenizer.encode(text) == ids)
            #expect(
                tokenizer.encode("<|endoftext|><|im_start|><|im_end|>") == [
                    151_643, 151_644, 151_645,
                ])
        }
    }

    /// Planes 4 to 13 hold no characters and 15 and 16 only private ones: their first and last
    /// blocks of 256 are enough.
    private static func isProbed(_ block: UInt32) -> Bool {
        block < 0x400 || block >> 8 == 0xE || block & 0xFF == 0 || block & 0xFF == 0xFF
    }

    /// Whether two lists hold the same strings, byte by byte.
    private static func areSame(_ left: [JSONValue], _ right: [JSONValue]) -> Bool {
        left.elementsEqual(right) { left, right in
            guard case .string(let left) = left, case .string(let right) = right else {
                return false
            }
            return left.utf8.elementsEqual(right.utf8)
        }
    }

    /// Requires the same pieces of normalized text, and returns how many there were.
    private func comparePieces(_ texts: URL, in folder: TemporaryFolder) throws -> Int {
        let answers = folder.url.appendingPathComponent("pieces.jsonl")
        try run(
            "reference_ids.py", [Repository.boxTokenizer.path, "--pieces"], input: texts,
            output: answers)
        var pieceCount = 0
        var mismatches = 0
        let expected = try JSONLines.values(in: answers)
        let lines = try JSONLines.strings(in: texts)
        try #require(lines.count == expected.count)
        var composition = CanonicalComposition()
        for (line, value) in zip(lines, expected) {
            let raw = Array(line.utf8)
            let bytes = composition.normalized(raw, in: raw.indices) ?? raw
            var splitter = QwenPreTokenizer(bytes, in: bytes.indices)
            var own: [JSONValue] = []
            while let range = splitter.next() {
                own.append(.string(String(decoding: bytes[range], as: UTF8.self)))
            }
            pieceCount += own.count
            guard case .array(let pieces) = value, Self.areSame(own, pieces) else {
                mismatches += 1
                if mismatches <= 5 { Issue.record("the pieces of \(line.debugDescription)") }
                continue
            }
        }
        #expect(mismatches == 0)
        return pieceCount
    }

    /// Every scalar beside characters that bring out its class and its combining behaviour.
    @Test(.enabled(if: isReady, "needs TURBINE_TEST_PYTHON and unicode-cldr-core"))
    func splitsAndNormalizesEveryScalarLikeReference() throws {
        let folder = try TemporaryFolder()
        let texts = folder.url.appendingPathComponent("scalars.jsonl")
        var lines: [UInt8] = []
        for block in UInt32(0)..<0x2200 where Self.isProbed(block >> 1) {
            let scalars = (block << 7..<(block + 1) << 7).compactMap(Unicode.Scalar.init)
            guard !scalars.isEmpty else { continue }
            let text = scalars.map { "b'\($0)x \($0)1\($0)! \($0) a\u{345}\($0)b\($0)\u{334}" }
            lines += try JSONEncoder().encode(text.joined()) + [0x0A]
        }
        try Data(lines).write(to: texts)
        #expect(try comparePieces(texts, in: folder) > 2_000_000)
    }

    @Test(.enabled(if: isReady, "needs TURBINE_TEST_PYTHON and unicode-cldr-core"))
    func splitsRandomTextLikeReference() throws {
        let folder = try TemporaryFolder()
        let random = folder.url.appendingPathComponent("random.jsonl")
        try run("reference_texts.py", ["random", "20000", "7"], output: random)
        #expect(try comparePieces(random, in: folder) > 100_000)
    }

    /// Random ids, mostly of single bytes: what they spell is seldom valid UTF-8.
    @Test(.enabled(if: isReady, "needs TURBINE_TEST_PYTHON and unicode-cldr-core"))
    func decodesLikeReference() throws {
        let folder = try TemporaryFolder()
        let tokenizer = try Qwen2Tokenizer(directory: Repository.boxTokenizer)
        var state: UInt64 = 2026
        func next(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let lists = (0..<20_000).map { _ in
            (0..<next(below: 24)).map { _ in
                Int32(next(below: next(below: 4) == 0 ? tokenizer.vocabularySize : 256))
            }
        }
        let ids = folder.url.appendingPathComponent("ids.jsonl")
        let texts = folder.url.appendingPathComponent("texts.jsonl")
        try Data(lists.map { "\($0)\n" }.joined().utf8).write(to: ids)
        try run(
            "reference_ids.py", [Repository.boxTokenizer.path, "--decode"], input: ids,
            output: texts)
        let expected = try JSONLines.strings(in: texts)
        try #require(expected.count == lists.count)
        for (list, text) in zip(lists, expected) {
            let own = try tokenizer.decode(list, skippingSpecialTokens: false)
            #expect(own.utf8.elementsEqual(text.utf8), "\(list)")
        }
    }
}
