// The tokenizer of the Qwen2 and Qwen3 language models: byte-level byte-pair encoding with special
// tokens. Its ids equal those of `Qwen2Tokenizer` in Hugging Face transformers 5.23.0.

import Foundation

/// Turns text into token ids and back.
///
/// Text goes through these steps: special tokens are cut out, the rest is normalized to NFC, split
/// into pieces (`QwenPreTokenizer`) and merged byte by byte (`BytePairMerger`).
public struct Qwen2Tokenizer: Sendable {
    private let vocabulary: Vocabulary
    private let merges: MergeTable
    private let addedVocabulary: AddedVocabulary
    private let normalizes: Bool
    private let splitsSpecialTokens: Bool
    private let truncatesLeft: Bool
    /// The token of each single byte, -1 where the vocabulary has none.
    private let byteIDs: [Int32]

    /// The largest id plus one: the rows an embedding table must at least have.
    public let vocabularySize: Int

    /// Loads a tokenizer folder: `tokenizer.json`, or else `vocab.json` and `merges.txt`, and the
    /// added tokens of `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`.
    ///
    /// - Throws: if a file is missing, damaged or contradicts another, or if it asks for a
    ///   normalizer, pre-tokenizer or model setting that Qwen models do not have.
    public init(directory: URL) throws(TokenizerError) {
        let loaded = try LoadedTokenizer(directory: directory)
        vocabulary = loaded.vocabulary
        merges = loaded.merges
        addedVocabulary = loaded.addedVocabulary
        normalizes = loaded.normalizes
        splitsSpecialTokens = loaded.settings.splitsSpecialTokens
        truncatesLeft = loaded.settings.truncatesLeft
        byteIDs = ByteAlphabet.scalars.map { scalar in
            var spelling: [UInt8] = []
            UTF8Scalar.append(scalar, to: &spelling)
            return loaded.vocabulary.id(of: spelling) ?? -1
        }
        let largest = max(
            loaded.vocabulary.largestID ?? -1, loaded.addedVocabulary.largestID ?? -1)
        vocabularySize = Int(largest) + 1
    }

    /// The ids of a text. Special tokens in the text become their ids.
    public func encode(_ text: String) -> [Int32] {
        let bytes = Array(text.utf8)
        var merger = BytePairMerger(merges: merges, byteIDs: byteIDs)
        var composition = CanonicalComposition()
        var ids: [Int32] = []
        let parts = addedVocabulary.rawParts(of: bytes, ignoringSpecial: splitsSpecialTokens)
        for part in parts {
            switch part {
            case .token(let id):
                ids.append(id)
            case .text(let range):
                if normalizes, let normal = composition.normalized(bytes, in: range) {
                    encode(normal, in: normal.indices, with: &merger, into: &ids)
                } else {
                    encode(bytes, in: range, with: &merger, into: &ids)
                }
            }
        }
        return ids
    }

    /// Appends the ids of a stretch of normalized text.
    private func encode(
        _ bytes: [UInt8], in range: Range<Int>, with merger: inout BytePairMerger,
        into ids: inout [Int32]
    ) {
        let parts = addedVocabulary.normalizedParts(
            of: bytes, in: range, ignoringSpecial: splitsSpecialTokens)
        for part in parts {
            switch part {
            case .token(let id):
                ids.append(id)
            case .text(let range):
                var pieces = QwenPreTokenizer(bytes, in: range)
                while let piece = pieces.next() {
                    merger.encode(bytes, in: piece, into: &ids)
                }
            }
        }
    }

    /// The text of ids. Bytes that form no valid UTF-8 become U+FFFD.
    ///
    /// - Throws: if an id belongs to no token.
    public func decode(
        _ ids: [Int32], skippingSpecialTokens: Bool
    ) throws(TokenizerError) -> String {
        var bytes: [UInt8] = []
        for (index, id) in ids.enumerated() {
            guard
                let spelling = addedVocabulary.spelling(id: id)
                    ?? vocabulary.token(id: id).map(Array.init)
            else {
                throw TokenizerError(
                    code: .unknownToken, what: "no token has the id \(id)",
                    location: "id \(index) of \(ids.count)",
                    remedy: "decode ids from 0 to \(vocabularySize - 1) of this tokenizer")
            }
            if skippingSpecialTokens, addedVocabulary.isSpecial(spelling) { continue }
            ByteAlphabet.appendBytes(spelledBy: spelling[...], to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The ids of a prompt in the chat format that Z-Image's text encoder was trained with, cut to
    /// the given length.
    ///
    /// Source: `ZImagePipeline._encode_prompt` of diffusers 0.42.1 with the chat template of Qwen3,
    /// thinking enabled.
    public func encodeChat(prompt: String, maximumTokenCount: Int = 512) -> [Int32] {
        let ids = encode("<|im_start|>user\n\(prompt)<|im_end|>\n<|im_start|>assistant\n")
        let count = max(0, maximumTokenCount)
        return truncatesLeft ? ids.suffix(count) : Array(ids.prefix(count))
    }
}
