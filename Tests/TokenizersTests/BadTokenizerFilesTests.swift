// Damaged, contradictory and unsupported tokenizer folders: each gives an error that names it.

import Foundation
import Testing

@testable import Tokenizers

@Suite struct BadTokenizerFilesTests {
    private func error(loading files: [String: String]) throws -> TokenizerError? {
        let folder = try TemporaryFolder(files)
        do {
            _ = try Qwen2Tokenizer(directory: folder.url)
            return nil
        } catch {
            return error
        }
    }

    private func expect(
        _ code: TokenizerError.Code, mentioning word: String, loading files: [String: String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try error(loading: files)
        #expect(found?.code == code, sourceLocation: sourceLocation)
        let text = found?.description ?? ""
        #expect(text.contains(word), "\(text)", sourceLocation: sourceLocation)
    }

    @Test func soundFilesLoad() throws {
        #expect(try error(loading: SmallTokenizer.files()) == nil)
        #expect(try error(loading: ["tokenizer.json": SmallTokenizer.document()]) == nil)
    }

    @Test func missingFiles() throws {
        try expect(.missingFile, mentioning: "vocab.json", loading: [:])
        try expect(
            .missingFile, mentioning: "merges.txt",
            loading: SmallTokenizer.files(["merges.txt": nil]))
        #expect(throws: TokenizerError.self) {
            try Qwen2Tokenizer(directory: URL(fileURLWithPath: "/nonexistent/tokenizer"))
        }
        #expect(throws: TokenizerError.self) {
            try Qwen2Tokenizer(directory: try #require(URL(string: "https://example.org/")))
        }
    }

    @Test func folderInPlaceOfFile() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("tokenizer.json"),
            withIntermediateDirectories: true)
        let error = #expect(throws: TokenizerError.self) {
            try Qwen2Tokenizer(directory: folder.url)
        }
        #expect(error?.code == .unreadableFile)
    }

    @Test func hugeFile() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        let file = folder.url.appendingPathComponent("tokenizer.json")
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: UInt64(TokenizerFile.maximumByteCount) + 1)
        try handle.close()
        let error = #expect(throws: TokenizerError.self) {
            try Qwen2Tokenizer(directory: folder.url)
        }
        #expect(error?.code == .fileTooLarge)
    }

    @Test func invalidUTF8() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        try Data([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x30, 0x7D])
            .write(to: folder.url.appendingPathComponent("vocab.json"))
        let error = #expect(throws: TokenizerError.self) {
            try Qwen2Tokenizer(directory: folder.url)
        }
        #expect(error?.code == .malformedFile)
    }

    @Test func everyTruncationOfADocument() throws {
        let whole = SmallTokenizer.document()
        for length in stride(from: 0, to: whole.unicodeScalars.count, by: 7) {
            let part = String(String.UnicodeScalarView(whole.unicodeScalars.prefix(length)))
            #expect(try error(loading: ["tokenizer.json": part]) != nil, "\(length)")
        }
    }

    @Test(arguments: [
        (#"{"a": 0, "b": 0}"#, "share the id 0"), (#"{"a": 0, "a": 1}"#, "occurs twice"),
        (#"{"a": -1}"#, "-1"), (#"{"a": 2147483648}"#, "2147483648"),
    ])
    func contradictoryVocabulary(_ vocabulary: String, _ word: String) throws {
        try expect(
            .invalidVocabulary, mentioning: word,
            loading: SmallTokenizer.files(["vocab.json": vocabulary, "merges.txt": ""]))
    }

    @Test(arguments: [#"{"a": 1.5}"#, #"{"a": "0"}"#, #"{"a": null}"#, "[]", "", #"{"a": 0} x"#])
    func malformedVocabulary(_ vocabulary: String) throws {
        try expect(
            .malformedFile, mentioning: "vocab.json",
            loading: SmallTokenizer.files(["vocab.json": vocabulary, "merges.txt": ""]))
    }

    @Test(arguments: ["a z\n", "z a\n", "a a\n", "a\n", "a b c\n", "a  b\n", "a b\n\nb c\n"])
    func badMerges(_ merges: String) throws {
        try expect(
            .invalidMerges, mentioning: "merges.txt",
            loading: SmallTokenizer.files(["merges.txt": merges]))
    }

    @Test(arguments: [
        #"[["a", "z"]]"#, #"[["a"]]"#, #"[["a", "b", "c"]]"#, #"["ab"]"#, #"[["a", "a"]]"#,
    ])
    func badMergesInADocument(_ merges: String) throws {
        try expect(
            .invalidMerges, mentioning: "merge",
            loading: ["tokenizer.json": SmallTokenizer.document(model: ["merges": merges])])
    }

    @Test(arguments: [
        ["type": "\"Unigram\""], ["byte_fallback": "true"], ["ignore_merges": "true"],
        ["dropout": "0.1"], ["continuing_subword_prefix": "\"##\""],
        ["end_of_word_suffix": "\"</w>\""],
    ])
    func unsupportedModel(_ change: [String: String]) throws {
        let word = change["type"] == nil ? try #require(change.keys.first) : "Unigram"
        try expect(
            .unsupportedFeature, mentioning: word,
            loading: ["tokenizer.json": SmallTokenizer.document(model: change)])
    }

    @Test(arguments: [
        ("normalizer", #"{"type": "NFKC"}"#, "NFKC"),
        ("normalizer", #"{"type": "Lowercase"}"#, "Lowercase"),
        (
            "normalizer",
            #"{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Strip"}]}"#,
            "Strip"
        ),
        ("pre_tokenizer", #"{"type": "ByteLevel", "use_regex": true}"#, "ByteLevel"),
        ("pre_tokenizer", #"{"type": "Whitespace"}"#, "Whitespace"),
        ("pre_tokenizer", SmallTokenizer.preTokenizer(pattern: #"\s+"#), "another pattern"),
        ("pre_tokenizer", SmallTokenizer.preTokenizer(behavior: "Removed"), "another pattern"),
        (
            "pre_tokenizer", SmallTokenizer.preTokenizer(byteLevel: #""add_prefix_space": true"#),
            "add_prefix_space"
        ),
        (
            "pre_tokenizer", SmallTokenizer.preTokenizer(byteLevel: #""add_prefix_space": false"#),
            "use_regex"
        ),
        ("decoder", #"{"type": "Metaspace"}"#, "Metaspace"),
        ("post_processor", #"{"type": "BertProcessing"}"#, "BertProcessing"),
        (
            "post_processor",
            #"{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "a"}}]}"#,
            "TemplateProcessing"
        ),
    ])
    func unsupportedStep(_ field: String, _ value: String, _ word: String) throws {
        try expect(
            .unsupportedFeature, mentioning: word,
            loading: ["tokenizer.json": SmallTokenizer.document([field: value])])
    }

    @Test(arguments: [
        #"{"tokenizer_class": "LlamaTokenizer"}"#, #"{"add_prefix_space": true}"#,
        #"{"add_eos_token": true}"#, #"{"add_bos_token": true, "bos_token": "<s>"}"#,
    ])
    func unsupportedConfiguration(_ configuration: String) throws {
        try expect(
            .unsupportedFeature, mentioning: "tokenizer_config.json",
            loading: SmallTokenizer.files(["tokenizer_config.json": configuration]))
    }

    @Test(arguments: [
        #"{"tokenizer_class": 3}"#, "[]", "{", #"{"added_tokens_decoder": []}"#,
        #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#, #"{"eos_token": 3}"#,
        #"{"added_tokens_decoder": {"11": {"content": ""}}}"#, #"{"extra_special_tokens": "x"}"#,
        #"{"added_tokens_decoder": {"11": {"content": "<x>", "special": "yes"}}}"#,
    ])
    func malformedConfiguration(_ configuration: String) throws {
        try expect(
            .malformedFile, mentioning: "tokenizer_config.json",
            loading: SmallTokenizer.files(["tokenizer_config.json": configuration]))
    }

    @Test(arguments: [
        #"[{"id": 11, "content": "<x>"}, {"id": 11, "content": "<y>"}]"#,
        #"[{"id": 40, "content": "<x>"}]"#, #"[{"id": 3, "content": "<x>"}]"#,
        #"[{"id": -1, "content": "<x>"}]"#, #"[{"id": 11, "content": "abc"}]"#,
    ])
    func addedTokensWithImpossibleIDs(_ tokens: String) throws {
        try expect(
            .invalidAddedTokens, mentioning: "id",
            loading: ["tokenizer.json": SmallTokenizer.document(["added_tokens": tokens])])
    }

    @Test func addedTokenBeyondASparseVocabulary() throws {
        try expect(
            .invalidAddedTokens, mentioning: "taken",
            loading: SmallTokenizer.files(["vocab.json": #"{"a": 0, "b": 2}"#, "merges.txt": ""]))
    }

    /// Files with random bytes changed load or give an error; a trap would end the test run.
    @Test func randomDamageNeverTraps() throws {
        let added = #"[{"id": 11, "content": "<x>", "normalized": true, "lstrip": true}]"#
        let sound = [
            "tokenizer.json": Array(SmallTokenizer.document(["added_tokens": added]).utf8),
            "tokenizer_config.json": Array(SmallTokenizer.configuration.utf8),
        ]
        let folder = try TemporaryFolder()
        let replacements = Array(#"0"{}[],:-9\u e1Ċ"#.utf8)
        var state: UInt64 = 7
        func next(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var outcomes: Set<String> = []
        for _ in 0..<1000 {
            for (name, content) in sound.sorted(by: { $0.key < $1.key }) {
                var bytes = content
                for _ in 0..<next(below: 3) {
                    bytes[next(below: bytes.count)] = replacements[next(below: replacements.count)]
                }
                try Data(bytes).write(to: folder.url.appendingPathComponent(name))
            }
            do {
                let tokenizer = try Qwen2Tokenizer(directory: folder.url)
                let ids = tokenizer.encode("abc <x> é<end>")
                _ = try tokenizer.decode(ids, skippingSpecialTokens: true)
                outcomes.insert("loaded")
            } catch {
                outcomes.insert((error as? TokenizerError)?.code.rawValue ?? "other")
            }
        }
        #expect(outcomes.isSuperset(of: ["loaded", "malformedFile", "invalidVocabulary"]))
        #expect(!outcomes.contains("other"))
        #expect(!outcomes.contains("unknownToken"))
    }
}
