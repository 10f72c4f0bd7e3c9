// tokenizer.json: the whole tokenizer in one file. What it asks for is checked against what is
// implemented; anything else is an error, never a wrong id.

/// The content of a tokenizer.json.
struct TokenizerDocument {
    let vocabulary: Vocabulary
    /// The left and right token of each merge, one after the other.
    let merges: TokenList
    /// The added tokens with the ids the file states, in the order of the file.
    let addedTokens: [(id: Int, token: AddedToken)]
    /// Whether the file asks for NFC.
    let normalizes: Bool
    /// The fields besides the vocabulary and merges; the model's are under "model".
    let fields: JSONObject
    let model: JSONObject

    /// Reads a file and checks all that any reader must; see `requireByteLevel` for the rest.
    init(_ file: TokenizerFile) throws(TokenizerError) {
        var reader = JSONReader(bytes: file.bytes, location: file.path)
        var fields = JSONObject(location: file.path)
        var model: JSONObject?
        var vocabulary: Vocabulary?
        var merges: TokenList?
        guard reader.peek() == UInt8(ascii: "{") else {
            throw .malformed("the file is not a JSON object", in: file.path)
        }
        try reader.readObject { key, reader throws(TokenizerError) in
            guard key == "model" else {
                fields.members.append(.init(key: key, value: try reader.readValue()))
                return
            }
            var settings = JSONObject(location: "\(file.path): model")
            try reader.readObject { key, reader throws(TokenizerError) in
                switch key {
                case "vocab":
                    vocabulary = try Vocabulary(
                        reading: &reader, location: "\(file.path): model.vocab")
                case "merges":
                    merges = try Self.readMerges(&reader, location: "\(file.path): model.merges")
                default:
                    settings.members.append(.init(key: key, value: try reader.readValue()))
                }
            }
            model = settings
        }
        try reader.expectEnd()
        guard let model else { throw .malformed("\"model\" is missing", in: file.path) }
        try Self.checkModel(model)
        guard let vocabulary, let merges else {
            throw .malformed("\"vocab\" or \"merges\" is missing", in: model.location)
        }
        self.fields = fields
        self.model = model
        self.vocabulary = vocabulary
        self.merges = merges
        addedTokens = try Self.readAddedTokens(fields)
        normalizes = try Self.readNormalizer(fields)
        try Self.checkPreTokenizer(fields)
        try Self.checkPostProcessor(fields)
        if let type = try fields.object("decoder")?.string("type"), type != "ByteLevel" {
            throw .unsupported("the decoder \"\(type)\" is not supported", in: file.path)
        }
    }

    /// Requires what a general reader of the file needs and the Qwen2 reader supplies by itself.
    func requireByteLevel() throws(TokenizerError) {
        for key in ["pre_tokenizer", "decoder"] where fields.present(key) == nil {
            throw .unsupported("a tokenizer without a \(key)", in: fields.location)
        }
        let hasAllBytes = ByteAlphabet.scalars.allSatisfy { scalar in
            var spelling: [UInt8] = []
            UTF8Scalar.append(scalar, to: &spelling)
            return vocabulary.id(of: spelling) != nil
        }
        if model.present("unk_token") != nil, !hasAllBytes {
            throw .unsupported("an unknown token for bytes without a token", in: model.location)
        }
    }

    /// Reads merges written as `"a b"` or as `["a", "b"]`.
    private static func readMerges(
        _ reader: inout JSONReader, location: String
    ) throws(TokenizerError) -> TokenList {
        var merges = TokenList()
        try reader.readArray { reader throws(TokenizerError) in
            if reader.peek() == UInt8(ascii: "[") {
                let before = merges.count
                try reader.readArray { reader throws(TokenizerError) in
                    try merges.append { bytes throws(TokenizerError) in
                        try reader.readString(into: &bytes)
                    }
                }
                if merges.count != before + 2 {
                    throw MergeTable.invalid("a merge that is not two tokens", location)
                }
            } else {
                var line: [UInt8] = []
                try reader.readString(into: &line)
                try appendMerge(line[...], to: &merges, location: location)
            }
        }
        return merges
    }

    /// Adds the two tokens of a merge written as one line.
    static func appendMerge(
        _ line: ArraySlice<UInt8>, to merges: inout TokenList, location: String
    ) throws(TokenizerError) {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            let text = String(decoding: line.prefix(60), as: UTF8.self)
            throw MergeTable.invalid("the merge \"\(text)\" is not two tokens", location)
        }
        merges.append(parts[0])
        merges.append(parts[1])
    }

    private static func checkModel(_ model: JSONObject) throws(TokenizerError) {
        if let type = try model.string("type"), type != "BPE" {
            throw .unsupported("the model type \"\(type)\" is not supported", in: model.location)
        }
        for key in ["byte_fallback", "ignore_merges"] where try model.boolean(key) {
            throw .unsupported("\"\(key)\" is not supported", in: model.location)
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try model.string(key), !affix.isEmpty {
                throw .unsupported("\"\(key)\" is not supported", in: model.location)
            }
        }
        if let dropout = model.present("dropout"), dropout != .integer(0), dropout != .real(0) {
            throw .unsupported("\"dropout\" is not supported", in: model.location)
        }
    }

    private static func readAddedTokens(
        _ fields: JSONObject
    ) throws(TokenizerError) -> [(id: Int, token: AddedToken)] {
        var added: [(id: Int, token: AddedToken)] = []
        for value in try fields.array("added_tokens") ?? [] {
            guard case .object(var object) = value, case .integer(let id) = object["id"] else {
                throw .malformed("an added token is no object with an id", in: fields.location)
            }
            object.location = "\(fields.location): added_tokens"
            added.append((id, try AddedToken(object)))
        }
        return added
    }

    /// Whether the normalizer is NFC; null and empty sequences are none.
    private static func readNormalizer(_ fields: JSONObject) throws(TokenizerError) -> Bool {
        var normalizes = false
        for part in try parts(of: "normalizer", listing: "normalizers", in: fields) {
            let type = try part.string("type") ?? "without a type"
            guard type == "NFC" else {
                throw .unsupported("the normalizer \"\(type)\" is not supported", in: part.location)
            }
            normalizes = true
        }
        return normalizes
    }

    private static func checkPreTokenizer(_ fields: JSONObject) throws(TokenizerError) {
        let parts = try parts(of: "pre_tokenizer", listing: "pretokenizers", in: fields)
        let types = try parts.map { part throws(TokenizerError) in
            try part.string("type") ?? "without a type"
        }
        guard !types.isEmpty else { return }
        let location = parts[0].location
        guard types == ["Split", "ByteLevel"] else {
            throw .unsupported(
                "the pre-tokenizer \(types.joined(separator: ", ")) is not supported", in: location)
        }
        guard let regex = try parts[0].object("pattern")?.string("Regex"),
            regex == QwenPreTokenizer.pattern, try parts[0].string("behavior") == "Isolated",
            try !parts[0].boolean("invert")
        else {
            throw .unsupported("splitting by another pattern is not supported", in: location)
        }
        for (key, absent) in [("add_prefix_space", true), ("use_regex", true)]
        where try parts[1].boolean(key, default: absent) {
            throw .unsupported("ByteLevel with \"\(key)\" is not supported", in: location)
        }
    }

    /// Requires that nothing is put before or after the text's own tokens.
    private static func checkPostProcessor(_ fields: JSONObject) throws(TokenizerError) {
        for part in try parts(of: "post_processor", listing: "processors", in: fields) {
            let type = try part.string("type") ?? "without a type"
            var isNeutral = type == "ByteLevel"
            if type == "TemplateProcessing", let single = try part.array("single") {
                isNeutral =
                    single.count == 1
                    && single.allSatisfy { piece in
                        if case .object(let object) = piece { return object["Sequence"] != nil }
                        return false
                    }
            }
            if !isNeutral {
                throw .unsupported(
                    "the post-processor \"\(type)\" adds tokens, which is not supported",
                    in: part.location)
            }
        }
    }

    /// The steps of a field that is null, one step, or a sequence of steps.
    private static func parts(
        of key: String, listing list: String, in fields: JSONObject
    ) throws(TokenizerError) -> [JSONObject] {
        guard let whole = try fields.object(key) else { return [] }
        var flat: [JSONObject] = []
        var open = [whole]
        while var part = open.popLast() {
            part.location = "\(fields.location): \(key)"
            guard try part.string("type") == "Sequence" else {
                flat.append(part)
                continue
            }
            guard let members = try part.array(list) else {
                throw .malformed("a sequence without \"\(list)\"", in: part.location)
            }
            for member in members.reversed() {
                guard case .object(let object) = member else {
                    throw .malformed("a step is no object", in: part.location)
                }
                open.append(object)
            }
        }
        return flat
    }
}
