// The one error of this target: what a person needs to know to put their request, file or machine
// right.

/// Why an image could not be made, read or written.
///
/// A `GenerationError` says what kind of failure it is (`code`, for programs), where it was found
/// (`field`: an argument, a file, a key in a file), what is wrong and what to do about it.
public struct GenerationError: Error, Equatable, Sendable {
    /// The kinds of failure. The raw values are stable: reports and replies carry them.
    public enum Code: String, CaseIterable, Codable, Sendable {
        /// A request field is out of range, of the wrong form, or contradicts another one.
        case invalidArgument = "invalid_argument"
        /// No preset of that name.
        case unknownPreset = "unknown_preset"
        /// No template of that name.
        case unknownTemplate = "unknown_template"
        /// The template has no slot of that name.
        case unknownSlot = "unknown_slot"
        /// The template cannot do without a slot that was left empty.
        case missingSlot = "missing_slot"
        /// A preset or template file that breaks its rules.
        case invalidConfiguration = "invalid_configuration"
        /// A file that is not there or cannot be read.
        case unreadableFile = "unreadable_file"
        /// An image file that is damaged, cut off or no image at all.
        case unreadableImage = "unreadable_image"
        /// An output path to which nothing can be written.
        case unwritableOutput = "unwritable_output"
        /// A checkpoint that cannot be used for this request.
        case unusableModel = "unusable_model"
        /// Saved latents that do not fit the request.
        case invalidLatents = "invalid_latents"
        /// Sound input that this version does not handle.
        case unsupported = "unsupported"
        /// Stopped because the caller asked for it.
        case cancelled = "cancelled"
        /// More memory, pixels or bytes than allowed.
        case resourceLimit = "resource_limit"
        /// A failure that no input explains.
        case internalError = "internal_error"

        /// Whether the same request can only fail again: its input has to change first.
        public var isCallerFault: Bool {
            switch self {
            case .cancelled, .internalError: false
            default: true
            }
        }
    }

    /// The kind of failure.
    public let code: Code
    /// Where it was found: an argument (`width`), a file, or a key in a file
    /// (`config/default.json: presets.turbo.width`). Empty when there is no such place.
    public let field: String
    /// What is wrong, without a full stop at the end.
    public let what: String
    /// What to do about it, without a full stop at the end. Empty when there is nothing to do.
    public let remedy: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - field: the argument, file or key at fault; may be empty.
    ///   - what: what is wrong.
    ///   - remedy: what to do; may be empty.
    public init(code: Code, field: String, what: String, remedy: String = "") {
        self.code = code
        self.field = field
        self.what = what
        self.remedy = remedy
    }
}

extension GenerationError: CustomStringConvertible {
    /// The error as one sentence on one line: `field: what; remedy`.
    public var description: String {
        var sentence = field.isEmpty ? what : "\(field): \(what)"
        if !remedy.isEmpty { sentence += "; \(remedy)" }
        return Self.escapingControls(sentence)
    }
}

extension GenerationError {
    /// `text` in double quotes, on one line, cut to `limit` characters: for text of others in
    /// messages.
    public static func quote(_ text: String, limit: Int = 80) -> String {
        let isCut = text.dropFirst(limit).isEmpty == false
        return "\"" + escapingControls(String(text.prefix(limit))) + (isCut ? "…\"" : "\"")
    }

    /// `names` as a list for "what exists" messages: `a, b, c`, or `none`.
    public static func list(_ names: some Sequence<String>) -> String {
        let joined = names.joined(separator: ", ")
        return joined.isEmpty ? "none" : joined
    }

    /// `text` with control characters written as `\u{…}`, so that a message stays on its line.
    private static func escapingControls(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
