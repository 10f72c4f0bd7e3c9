// The added tokens of a tokenizer and their ids. Ids are given out as the reference gives them: a
// token that the model's vocabulary has keeps that id, any other gets the next one.
// Source: `AddedVocabulary` of Hugging Face tokenizers.

/// All added tokens, ready to be found in text and to be decoded.
struct AddedVocabulary: Sendable {
    private let normalizes: Bool
    private var ids: [[UInt8]: Int32] = [:]
    private var tokens: [Int32: AddedToken] = [:]
    /// Normalized contents where they differ from the contents.
    private var normalizedForms: [Int32: [UInt8]] = [:]
    /// Once special, a content stays special, whatever is added later.
    private var specialContents: Set<[UInt8]> = []
    private var rawMatcher = AddedTokenMatcher()
    private var normalizedMatcher = AddedTokenMatcher()

    /// - Parameter normalizes: whether the tokenizer brings text to NFC.
    init(normalizes: Bool) {
        self.normalizes = normalizes
    }

    /// The largest id of an added token; nil if there are none.
    var largestID: Int32? { tokens.keys.max() }

    /// Whether a token of this content was added.
    func contains(_ content: [UInt8]) -> Bool { ids[content] != nil }

    /// The id of an added token.
    func id(of content: [UInt8]) -> Int32? { ids[content] }

    /// Adds tokens in order; a token that is there already gets the new flags.
    mutating func add(
        _ added: [AddedToken], vocabulary: Vocabulary, location: String
    ) throws(TokenizerError) {
        var next = Int(Int32(clamping: vocabulary.count))
        if let largest = largestID, largest >= next { next = Int(largest) + 1 }
        var composition = CanonicalComposition()
        for token in added {
            let id: Int32
            if let known = ids[token.content] ?? vocabulary.id(of: token.content) {
                id = known
            } else {
                guard let free = Int32(exactly: next), vocabulary.token(id: free) == nil else {
                    throw TokenizerError(
                        code: .invalidAddedTokens,
                        what: "the id \(next), next for the added token \"\(token.text)\", "
                            + "is taken or out of range", location: location,
                        remedy: "number the vocabulary without gaps")
                }
                id = free
                next += 1
            }
            if token.isNormalized, normalizes,
                let form = composition.normalized(token.content, in: token.content.indices)
            {
                normalizedForms[id] = form
            }
            ids[token.content] = id
            tokens[id] = token
            if token.isSpecial { specialContents.insert(token.content) }
        }
    }

    /// Builds the matchers, once all tokens are added.
    mutating func finish(location: String) throws(TokenizerError) {
        for (id, token) in tokens.sorted(by: { $0.key < $1.key }) {
            let isNew =
                if token.isNormalized {
                    normalizedMatcher.insert(
                        token, id: id, pattern: normalizedForms[id] ?? token.content)
                } else {
                    rawMatcher.insert(token, id: id, pattern: token.content)
                }
            if !isNew {
                throw TokenizerError(
                    code: .invalidAddedTokens,
                    what: "the added token \"\(token.text)\" looks like another one",
                    location: location, remedy: "remove one of the two")
            }
        }
    }

    /// The parts of text before normalization.
    func rawParts(of bytes: [UInt8], ignoringSpecial: Bool) -> [TextPart] {
        rawMatcher.parts(of: bytes, in: bytes.indices) {
            ignoringSpecial && specialContents.contains($0.content)
        }
    }

    /// The parts of a stretch of normalized text.
    func normalizedParts(
        of bytes: [UInt8], in range: Range<Int>, ignoringSpecial: Bool
    ) -> [TextPart] {
        normalizedMatcher.parts(of: bytes, in: range) {
            ignoringSpecial && specialContents.contains($0.content)
        }
    }

    /// How a token is spelled when decoded; nil if the id is no added token's.
    func spelling(id: Int32) -> [UInt8]? {
        tokens[id].map { normalizedForms[id] ?? $0.content }
    }

    /// Whether decoding may skip a token of this spelling.
    func isSpecial(_ spelling: [UInt8]) -> Bool { specialContents.contains(spelling) }
}
