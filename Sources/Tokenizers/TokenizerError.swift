// What goes wrong when a tokenizer is loaded or used, told so that a person can act on it.

/// An error of the tokenizer: what was wrong, where, and what to do about it.
public struct TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error, for programs.
    public enum Code: String, Sendable {
        /// A file that the tokenizer needs is not there.
        case missingFile
        /// A file is there but cannot be read, or is no regular file.
        case unreadableFile
        /// A file is larger than any tokenizer file may be.
        case fileTooLarge
        /// A file is no valid JSON, or lacks a field, or a field has the wrong type.
        case malformedFile
        /// The vocabulary contradicts itself: an id or token occurs twice, an id is out of range.
        case invalidVocabulary
        /// A merge is no pair of tokens, or names a token that the vocabulary lacks.
        case invalidMerges
        /// An added token's id cannot be the one the file states.
        case invalidAddedTokens
        /// The file asks for a step of tokenization that is not implemented.
        case unsupportedFeature
        /// An id to decode that no token has.
        case unknownToken
    }

    /// The kind of error.
    public let code: Code
    /// What was wrong.
    public let what: String
    /// The file or field concerned.
    public let location: String
    /// What to do about it.
    public let remedy: String

    /// Creates an error.
    public init(code: Code, what: String, location: String, remedy: String) {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
    }

    /// The error in one sentence.
    public var description: String { "\(location): \(what); \(remedy)" }

    static func malformed(_ what: String, in location: String) -> TokenizerError {
        TokenizerError(
            code: .malformedFile, what: what, location: location,
            remedy: "fetch the file again or repair it")
    }

    static func unsupported(_ what: String, in location: String) -> TokenizerError {
        TokenizerError(
            code: .unsupportedFeature, what: what, location: location,
            remedy: "use the tokenizer of a Qwen2 or Qwen3 model")
    }
}
