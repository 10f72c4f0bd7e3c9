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
        var lineCount = 0
        var idCount = 0
        try JSONLines.forEachIDs(in: answers) { index, expected in
            let ids = own.encode(lines[index])
            if ids != expected {
                let place = zip(ids, expected).enumerated().first { $1.0 != $1.1 }?.offset
                Issue.record(
                    "line \(index) differs, first at id \(place ?? min(ids.count, expected.count))")
            }
            lineCount += 1
            idCount += ids.count
        }
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

    /// Every scalar beside characters that bring out its class and its combining behaviour.
    @Test(.enabled(if: isReady, "needs TURBINE_TEST_PYTHON and unicode-cldr-core"))
    func equalsReferenceOnEveryScalar() throws {
        let folder = try TemporaryFolder()
        let texts = folder.url.appendingPathComponent("scalars.jsonl")
        var lines: [UInt8] = []
        for block in UInt32(0)..<0x1100 {
            let scalars = (block << 8..<(block + 1) << 8).compactMap(Unicode.Scalar.init)
            guard !scalars.isEmpty else { continue }
            let text = scalars.map { "\($0)a \($0)1 \($0)!a\u{345}\($0)a\($0)\u{334}'\($0) " }
                .joined()
            lines += try JSONEncoder().encode(text) + [0x0A]
        }
        try Data(lines).write(to: texts)
        #expect(try compare(texts, Repository.boxTokenizer, in: folder) > 10_000_000)
    }
}
