// A token that is recognised in the text itself, before the text is split and merged.

/// A token added on top of the model's vocabulary, such as `<|im_start|>`.
/// Source: `AddedToken` of Hugging Face tokenizers.
struct AddedToken: Sendable, Equatable {
    /// The text that stands for the token, as UTF-8.
    var content: [UInt8]
    /// Left out when decoding skips special tokens.
    var isSpecial = false
    /// Matched in its normalized form, in normalized text.
    var isNormalized = false
    /// Matched only where no word character stands before or after.
    var isSingleWord = false
    /// Takes the white space before it.
    var stripsLeft = false
    /// Takes the white space after it.
    var stripsRight = false

    /// The content as text, for messages.
    var text: String { String(decoding: content, as: UTF8.self) }

    /// A special token without further flags.
    static func special(_ content: String) -> AddedToken {
        AddedToken(content: Array(content.utf8), isSpecial: true)
    }
}

extension AddedToken {
    /// Reads a token as tokenizer.json and tokenizer_config.json write it.
    ///
    /// - Parameter isSpecial: overrides what the object says.
    init(_ object: JSONObject, isSpecial: Bool? = nil) throws(TokenizerError) {
        guard let text = try object.string("content"), !text.isEmpty else {
            throw .malformed("an added token without content", in: object.location)
        }
        content = Array(text.utf8)
        let stated = try object.boolean("special")
        self.isSpecial = isSpecial ?? stated
        isNormalized = try object.boolean("normalized", default: !self.isSpecial)
        isSingleWord = try object.boolean("single_word")
        stripsLeft = try object.boolean("lstrip")
        stripsRight = try object.boolean("rstrip")
    }
}
