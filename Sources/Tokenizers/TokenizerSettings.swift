// The small files beside the vocabulary: tokenizer_config.json and its predecessors
// special_tokens_map.json and added_tokens.json. They decide which added tokens there are.
// Source: `PreTrainedTokenizerBase._from_pretrained` and `TokenizersBackend.__init__` of Hugging
// Face transformers 5.23.0.

import Foundation

/// What the small files of a tokenizer folder say.
struct TokenizerSettings {
    /// How the reference reads the folder.
    enum Reading {
        /// As a Qwen2 tokenizer: normalizer and pattern are Qwen2's, whatever tokenizer.json says.
        case qwen2
        /// As tokenizer.json says.
        case document
    }

    /// How the folder is read, from "tokenizer_class".
    let reading: Reading
    /// Special tokens stay ordinary text ("split_special_tokens").
    let splitsSpecialTokens: Bool
    /// Long input loses its start instead of its end ("truncation_side").
    let truncatesLeft: Bool
    /// Added tokens with the ids that the files state.
    let declared: [(id: Int, token: AddedToken)]
    /// The named special tokens (end of text, padding …) in the reference's order.
    let named: [AddedToken]
    /// Further special tokens.
    let extra: [AddedToken]

    private static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// Reads the files of a folder.
    ///
    /// - Parameter document: tokenizer.json, if the folder has one.
    init(directory: URL, document: TokenizerDocument?) throws(TokenizerError) {
        let path = directory.appendingPathComponent("tokenizer_config.json").path
        let configuration =
            try TokenizerFile.object("tokenizer_config.json", in: directory)
            ?? JSONObject(location: path)
        var settings = configuration
        reading = try Self.reading(of: configuration)
        splitsSpecialTokens = try configuration.boolean("split_special_tokens")
        truncatesLeft = try configuration.string("truncation_side") == "left"
        if try configuration.boolean("add_prefix_space") {
            throw .unsupported("\"add_prefix_space\" is not supported", in: path)
        }

        var legacy: JSONObject?
        if configuration["added_tokens_decoder"] == nil {
            if let map = try TokenizerFile.object("special_tokens_map.json", in: directory) {
                for member in map.members { settings.set(member.key, to: member.value) }
            }
            legacy = try TokenizerFile.object("added_tokens.json", in: directory)
        }
        (named, extra) = try Self.specialTokens(in: settings, isQwen2: reading == .qwen2)
        if document == nil {
            try Self.checkAffixes(configuration, settings: settings)
        }

        var declared: [(id: Int, token: AddedToken)] = []
        if let decoder = configuration["added_tokens_decoder"] {
            guard case .object(let object) = decoder else {
                throw configuration.mismatch("added_tokens_decoder", decoder, "an object")
            }
            declared = try Self.declaredTokens(object)
        } else {
            let special = Set((named + extra).map(\.content))
            declared = try Self.legacyTokens(legacy, special: special)
            for (id, token) in document?.addedTokens ?? [] {
                declared.removeAll { $0.id == id && $0.token.content == token.content }
                declared.append((id, token))
            }
        }
        declared.sort { $0.id < $1.id }
        for (lower, upper) in zip(declared, declared.dropFirst()) where lower.id == upper.id {
            throw TokenizerError(
                code: .invalidAddedTokens,
                what:
                    "\"\(lower.token.text)\" and \"\(upper.token.text)\" share the id \(lower.id)",
                location: directory.path, remedy: "give each added token an id of its own")
        }
        self.declared = declared
    }

    private static func reading(
        of configuration: JSONObject
    ) throws(TokenizerError) -> Reading {
        switch try configuration.string("tokenizer_class") {
        case nil, "Qwen2Tokenizer", "Qwen2TokenizerFast": return .qwen2
        case "PreTrainedTokenizerFast", "TokenizersBackend": return .document
        case let other?:
            throw .unsupported(
                "the tokenizer class \"\(other)\" is not supported", in: configuration.location)
        }
    }

    /// Refuses tokens put around the text; with a tokenizer.json its post-processor counts instead.
    private static func checkAffixes(
        _ configuration: JSONObject, settings: JSONObject
    ) throws(TokenizerError) {
        let hasStart = settings.present("bos_token") != nil
        let hasEnd = settings["eos_token"] != .null
        for (key, applies) in [("add_bos_token", hasStart), ("add_eos_token", hasEnd)]
        where try configuration.boolean(key) && applies {
            throw .unsupported("\"\(key)\" is not supported", in: configuration.location)
        }
    }

    /// The named special tokens and the further ones.
    private static func specialTokens(
        in settings: JSONObject, isQwen2: Bool
    ) throws(TokenizerError) -> (named: [AddedToken], extra: [AddedToken]) {
        var named: [AddedToken] = []
        for name in names {
            if let value = settings[name] {
                if !value.isNull { named.append(try specialToken(value, in: settings)) }
            } else if isQwen2, ["unk_token", "eos_token", "pad_token"].contains(name) {
                named.append(.special("<|endoftext|>"))
            }
        }
        // Other keys that end so, such as "image_token", name special tokens too.
        for member in settings.members
        where member.key.hasSuffix("_token") && !names.contains(member.key) {
            if case .string = member.value {
                named.append(try specialToken(member.value, in: settings))
            }
        }
        var extra: [AddedToken] = []
        var further = settings.present("extra_special_tokens")
        if further == nil || further == .array([]) || further == .object(.init(location: "")) {
            further = settings.present("additional_special_tokens")
        }
        switch further {
        case nil: break
        case .array(let values):
            for value in values { extra.append(try specialToken(value, in: settings)) }
        case .object(let object):
            for member in object.members {
                named.append(try specialToken(member.value, in: settings))
            }
        case let other?: throw settings.mismatch("extra_special_tokens", other, "a list")
        }
        return (named, extra)
    }

    private static func specialToken(
        _ value: JSONValue, in settings: JSONObject
    ) throws(TokenizerError) -> AddedToken {
        switch value {
        case .string(let text) where !text.isEmpty: return .special(text)
        case .object(let object): return try AddedToken(object, isSpecial: true)
        default:
            throw .malformed("a special token is \(value.kind)", in: settings.location)
        }
    }

    /// Reads "added_tokens_decoder": ids as keys, tokens as values.
    private static func declaredTokens(
        _ object: JSONObject
    ) throws(TokenizerError) -> [(id: Int, token: AddedToken)] {
        var declared: [(id: Int, token: AddedToken)] = []
        for member in object.members {
            let key = member.key
            guard let id = Int(key), case .object(let token) = member.value else {
                throw .malformed(
                    "\"\(key)\" in \"added_tokens_decoder\" is no id with a token",
                    in: object.location)
            }
            declared.append((id, try AddedToken(token)))
        }
        return declared
    }

    /// Reads added_tokens.json: tokens as keys, ids as values.
    private static func legacyTokens(
        _ object: JSONObject?, special: Set<[UInt8]>
    ) throws(TokenizerError) -> [(id: Int, token: AddedToken)] {
        var declared: [(id: Int, token: AddedToken)] = []
        for member in object?.members ?? [] where !member.key.isEmpty {
            let key = member.key
            guard case .integer(let id) = member.value else {
                throw .malformed("\"\(key)\" has no whole id", in: object?.location ?? "")
            }
            let content = Array(key.utf8)
            let isSpecial = special.contains(content)
            declared.append(
                (
                    id,
                    AddedToken(content: content, isSpecial: isSpecial, isNormalized: !isSpecial)
                ))
        }
        return declared
    }
}

extension JSONObject {
    /// Sets the value of a key.
    fileprivate mutating func set(_ key: String, to value: JSONValue) {
        members.removeAll { $0.key.utf8.elementsEqual(key.utf8) }
        members.append(.init(key: key, value: value))
    }
}
