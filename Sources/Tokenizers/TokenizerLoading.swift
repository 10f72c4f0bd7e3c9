// Puts a tokenizer together from the files of a folder, as the reference does: tokenizer.json if
// there is one, else vocab.json and merges.txt.

import Foundation

/// All parts of a tokenizer, loaded and checked.
struct LoadedTokenizer {
    let vocabulary: Vocabulary
    let merges: MergeTable
    let addedVocabulary: AddedVocabulary
    let normalizes: Bool
    let settings: TokenizerSettings

    init(directory: URL) throws(TokenizerError) {
        guard directory.isFileURL else {
            throw TokenizerError(
                code: .missingFile, what: "this is not a folder",
                location: directory.absoluteString, remedy: "give the path of a local folder")
        }
        let document = try TokenizerFile(named: "tokenizer.json", in: directory).map {
            file throws(TokenizerError) in try TokenizerDocument(file)
        }
        settings = try TokenizerSettings(directory: directory, document: document)
        let pairs: TokenList
        let source: String
        if let document {
            source = directory.appendingPathComponent("tokenizer.json").path
            if settings.reading == .document { try document.requireByteLevel() }
            normalizes = document.normalizes || settings.reading == .qwen2
            vocabulary = document.vocabulary
            pairs = document.merges
        } else {
            let file = try TokenizerFile.required("vocab.json", in: directory)
            let mergesFile = try TokenizerFile.required("merges.txt", in: directory)
            source = mergesFile.path
            normalizes = true
            vocabulary = try Self.readVocabulary(file)
            pairs = try Self.readMerges(mergesFile)
        }
        merges = try MergeTable(pairs: pairs, vocabulary: vocabulary, location: source)
        addedVocabulary = try Self.addTokens(
            settings, document: document, vocabulary: vocabulary, normalizes: normalizes,
            location: directory.path)
    }

    private static func readVocabulary(_ file: TokenizerFile) throws(TokenizerError) -> Vocabulary {
        var reader = JSONReader(bytes: file.bytes, location: file.path)
        let vocabulary = try Vocabulary(reading: &reader, location: file.path)
        try reader.expectEnd()
        return vocabulary
    }

    /// Reads merges.txt: two tokens a line; lines that start with "#version" are none.
    private static func readMerges(_ file: TokenizerFile) throws(TokenizerError) -> TokenList {
        var merges = TokenList()
        let version = Array("#version".utf8)
        var start = 0
        while start < file.bytes.count {
            let newline = file.bytes[start...].firstIndex(of: 0x0A) ?? file.bytes.count
            var line = file.bytes[start..<newline]
            if line.last == 0x0D { line.removeLast() }
            start = newline + 1
            if line.starts(with: version) { continue }
            try TokenizerDocument.appendMerge(line, to: &merges, location: file.path)
        }
        return merges
    }

    /// Adds the tokens in the reference's order and checks that each got the id it was stated with.
    private static func addTokens(
        _ settings: TokenizerSettings, document: TokenizerDocument?, vocabulary: Vocabulary,
        normalizes: Bool, location: String
    ) throws(TokenizerError) -> AddedVocabulary {
        var added = AddedVocabulary(normalizes: normalizes)
        func add(_ tokens: [AddedToken]) throws(TokenizerError) {
            try added.add(tokens, vocabulary: vocabulary, location: location)
        }
        if settings.reading == .document, let document {
            try add(document.addedTokens.map(\.token))
        }
        let names = Set(settings.named.map(\.content))
        var tokens = settings.declared.map(\.token)
        for index in tokens.indices where names.contains(tokens[index].content) {
            tokens[index].isSpecial = true
        }
        var seen = Set(tokens.map(\.content))
        for token in settings.named + settings.extra
        where !added.contains(token.content) && seen.insert(token.content).inserted {
            tokens.append(token)
        }
        try add(tokens)
        if settings.reading == .qwen2 {
            // The Qwen2 reader adds these once more and so resets their flags.
            try add(
                (settings.named + settings.extra).map {
                    AddedToken(content: $0.content, isSpecial: true)
                })
        }
        for (id, token) in settings.declared {
            guard let given = added.id(of: token.content), Int(given) == id else {
                throw TokenizerError(
                    code: .invalidAddedTokens,
                    what: "the added token \"\(token.text)\" states the id \(id), but its place "
                        + "after the vocabulary is \(added.id(of: token.content) ?? -1)",
                    location: location,
                    remedy: "number added tokens on from the end of the vocabulary")
            }
        }
        try added.finish(location: location)
        return added
    }
}
