// Files and folders that the tokenizer's tests share.

import Foundation

@testable import Tokenizers

/// Places in the repository.
enum Repository {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let root = tests.deletingLastPathComponent().deletingLastPathComponent()
    static let boxTokenizer = root.appendingPathComponent("Models/emoji/tokenizer")
    static let golden = tests.appendingPathComponent("Golden")
    static let scripts = tests.appendingPathComponent("Scripts")
}

/// A folder that is deleted when the last reference goes.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// A folder with files of the given content.
    convenience init(_ files: [String: String]) throws {
        try self.init()
        for (name, content) in files { try write(content, to: name) }
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ content: String, to name: String) throws {
        try Data(content.utf8).write(to: url.appendingPathComponent(name))
    }
}

/// Text files as lists of JSON values.
enum JSONLines {
    static func values(in file: URL) throws -> [JSONValue] {
        let content = [UInt8](try Data(contentsOf: file))
        return try content.split(separator: 0x0A).map { line in
            var reader = JSONReader(bytes: Array(line), location: file.path)
            return try reader.readDocument()
        }
    }

    static func strings(in file: URL) throws -> [String] {
        try values(in: file).compactMap { value in
            if case .string(let text) = value { return text }
            return nil
        }
    }

    /// Reads a list of ids a line, handing each over with its line number.
    static func forEachIDs(in file: URL, _ body: (Int, [Int32]) throws -> Void) throws {
        let content = [UInt8](try Data(contentsOf: file))
        for (index, line) in content.split(separator: 0x0A).enumerated() {
            var reader = JSONReader(bytes: Array(line), location: file.path)
            var ids: [Int32] = []
            try reader.readArray { reader throws(TokenizerError) in
                ids.append(Int32(truncatingIfNeeded: try reader.readInteger()))
            }
            try body(index, ids)
        }
    }
}

/// A small tokenizer written by hand: the letters, and a few merges of them.
enum SmallTokenizer {
    static let vocabulary = #"""
        {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "bc": 5, "abc": 6, "Ġa": 7, "Ã": 8, "©": 9,
         "é": 10}
        """#
    static let merges = "#version: 0.2\na b\nb c\nab c\nĠ a\n"
    static let configuration = #"""
        {"tokenizer_class": "Qwen2Tokenizer", "unk_token": null, "pad_token": null,
         "eos_token": "<end>"}
        """#

    /// The files of the tokenizer, with changes.
    static func files(_ changes: [String: String?] = [:]) -> [String: String] {
        var files: [String: String] = [
            "vocab.json": vocabulary, "merges.txt": merges,
            "tokenizer_config.json": configuration,
        ]
        for (name, content) in changes { files[name] = content }
        return files
    }

    /// tokenizer.json of the same tokenizer, with fields replaced or added.
    static func document(
        _ fields: [String: String] = [:], model: [String: String] = [:]
    ) -> String {
        var modelFields = [
            "type": "\"BPE\"", "vocab": vocabulary,
            "merges": #"["a b", "b c", "ab c", "Ġ a"]"#,
        ]
        for (key, value) in model { modelFields[key] = value }
        var whole = [
            "version": "\"1.0\"", "added_tokens": "[]", "normalizer": #"{"type": "NFC"}"#,
            "pre_tokenizer": preTokenizer(), "decoder": #"{"type": "ByteLevel"}"#,
            "model": object(modelFields),
        ]
        for (key, value) in fields { whole[key] = value }
        return object(whole)
    }

    /// The pre-tokenizer of Qwen2 as tokenizer.json writes it, with another pattern if given.
    static func preTokenizer(
        pattern: String = QwenPreTokenizer.pattern, behavior: String = "Isolated",
        byteLevel: String = #""add_prefix_space": false, "use_regex": false"#
    ) -> String {
        let escaped = pattern.replacingOccurrences(of: #"\"#, with: #"\\"#)
        return #"{"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": ""#
            + escaped + #""}, "behavior": ""# + behavior + #"", "invert": false},"#
            + #"{"type": "ByteLevel", "# + byteLevel + "}]}"
    }

    private static func object(_ fields: [String: String]) -> String {
        let members = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        return "{\(members.joined(separator: ", "))}"
    }
}
