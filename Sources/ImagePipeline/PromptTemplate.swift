// A prompt with slots: the fixed part of a kind of picture, and the parts that a person fills in.

/// A structured prompt: a pattern with slots such as `{subject}`.
public struct PromptTemplate: Equatable, Sendable {
    /// The name under which it is found.
    public let name: String
    /// The language of the prompt: a tag such as `en` or `zh`.
    public let language: String
    /// What the template is for.
    public let summary: String
    /// The pattern: text with `{slot}`s.
    public let pattern: String
    /// What a slot holds unless it is set.
    public let defaults: [String: String]
    /// The slots that must not be empty.
    public let required: [String]
    /// Values that suit a slot.
    public let suggestions: [String: [String]]
    /// The slots, in the order of the pattern.
    public let slots: [String]

    private let clauses: [Clause]
    private let ending: String

    /// Part of the pattern between two separators.
    struct Clause: Equatable, Sendable {
        enum Piece: Equatable, Sendable {
            case text(String)
            case slot(String)
        }

        /// What stands between this clause and the one before, spaces included.
        var separator: String
        var pieces: [Piece]

        var slots: [String] {
            pieces.compactMap { if case .slot(let name) = $0 { name } else { nil } }
        }
    }

    /// Fills the pattern in.
    ///
    /// A slot holds its value from `values`, else its default, else nothing. Values are inserted as
    /// they are: braces in them mean nothing. A clause (the text between separators: commas,
    /// semicolons, full stops, line ends, Chinese ones too) whose slots are all empty vanishes with
    /// its separator.
    /// - Throws: `GenerationError`: `unknownSlot`, `missingSlot`, each listing what exists.
    public func render(_ values: [String: String]) throws -> String {
        if let unknown = values.keys.sorted().first(where: { !slots.contains($0) }) {
            throw GenerationError(
                code: .unknownSlot, field: "template \(name)",
                what: "has no slot \(GenerationError.quote(unknown))",
                remedy: "use one of: \(GenerationError.list(slots))")
        }
        let filled = defaults.merging(values) { _, value in value }.filter {
            !Self.isBlank($0.value)
        }
        if let missing = required.first(where: { filled[$0] == nil }) {
            throw missingSlot(missing)
        }
        var result = ""
        for clause in clauses {
            let slots = clause.slots
            if !slots.isEmpty, slots.allSatisfy({ filled[$0] == nil }) { continue }
            if !result.isEmpty { result += clause.separator }
            result += Self.text(of: clause, filled)
        }
        return result.isEmpty ? "" : result + ending
    }

    private func missingSlot(_ slot: String) -> GenerationError {
        let examples = suggestions[slot].map { ", for example \(slot)=\($0.first ?? "…")" } ?? ""
        return GenerationError(
            code: .missingSlot, field: "template \(name)", what: "needs the slot \"\(slot)\"",
            remedy: "set it\(examples) (required: \(GenerationError.list(required)); slots: "
                + "\(GenerationError.list(slots)))")
    }

    private static func isBlank(_ text: String) -> Bool {
        text.allSatisfy(\.isWhitespace)
    }

    /// The clause with its slots filled in; an empty slot takes the space beside it along.
    private static func text(of clause: Clause, _ values: [String: String]) -> String {
        var result = ""
        var skipsSpace = true
        for piece in clause.pieces {
            switch piece {
            case .text(let text):
                result += skipsSpace ? String(text.drop { $0 == " " }) : text
                skipsSpace = text.last == " " || (skipsSpace && text.allSatisfy { $0 == " " })
            case .slot(let slot):
                guard let value = values[slot] else { continue }
                result += value
                skipsSpace = false
            }
        }
        if skipsSpace, result.last == " ", case .slot = clause.pieces.last { result.removeLast() }
        return result
    }
}

extension PromptTemplate {
    /// Reads a template from a JSON value; `location` is the file and key, for errors.
    init(_ value: ConfigurationValue, location: String) throws {
        let reader = try TemplateReader(value, location: location)
        name = try reader.text("name")
        language = try reader.text("language")
        summary = try reader.text("description")
        pattern = try reader.text("pattern")
        do {
            (clauses, ending) = try PatternParser.parse(pattern)
        } catch let error as PatternParser.Failure {
            throw reader.failure("pattern", error.what, error.remedy)
        }
        var slots: [String] = []
        for slot in clauses.flatMap(\.slots) where !slots.contains(slot) { slots.append(slot) }
        self.slots = slots
        defaults = try reader.object("defaults").mapValues { value in
            guard case .string(let text) = value else {
                throw reader.failure("defaults", "holds \(value.kind)", "use texts")
            }
            return text
        }
        required = try reader.texts("required")
        suggestions = try reader.object("suggestions").mapValues {
            try reader.texts("suggestions", $0)
        }
        try reader.check(defaults.keys, of: "defaults", areIn: slots)
        try reader.check(required, of: "required", areIn: slots)
        try reader.check(suggestions.keys, of: "suggestions", areIn: slots)
    }
}

/// Takes a template's members out of their JSON object, with errors that name the key.
private struct TemplateReader {
    private static let keys = [
        "name", "language", "description", "pattern", "defaults", "required", "suggestions",
    ]

    private let members: [String: ConfigurationValue]
    private let location: String

    init(_ value: ConfigurationValue, location: String) throws {
        self.location = location
        guard case .object(let members) = value else {
            throw GenerationError(
                code: .invalidConfiguration, field: location, what: "is \(value.kind)",
                remedy: "use an object")
        }
        self.members = members
        if let key = members.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            throw GenerationError(
                code: .invalidConfiguration, field: location,
                what: "has no key \(GenerationError.quote(key))",
                remedy: "use one of: \(GenerationError.list(Self.keys))")
        }
    }

    func failure(_ key: String, _ what: String, _ remedy: String) -> GenerationError {
        GenerationError(
            code: .invalidConfiguration, field: "\(location).\(key)", what: what, remedy: remedy)
    }

    /// A text that has to be there.
    func text(_ key: String) throws -> String {
        guard case .string(let text) = members[key] ?? .null, !text.isEmpty else {
            throw failure(key, "is missing or no text", "use a text that is not empty")
        }
        return text
    }

    /// An object with slots as its keys; empty when missing.
    func object(_ key: String) throws -> [String: ConfigurationValue] {
        guard case .object(let object) = members[key] ?? .object([:]) else {
            throw failure(key, "is no object", "use an object with slots as its keys")
        }
        return object
    }

    /// A list of texts: the member `key`, or `value` inside it; empty when missing.
    func texts(_ key: String, _ value: ConfigurationValue? = nil) throws -> [String] {
        let value = value ?? members[key] ?? .array([])
        guard case .array(let items) = value else {
            throw failure(key, "is \(value.kind)", "use a list of texts")
        }
        return try items.map { item in
            guard case .string(let text) = item else {
                throw failure(key, "holds \(item.kind)", "use a list of texts")
            }
            return text
        }
    }

    func check(_ names: some Sequence<String>, of key: String, areIn slots: [String]) throws {
        guard let stray = names.sorted().first(where: { !slots.contains($0) }) else { return }
        throw failure(
            key, "names the slot \(GenerationError.quote(stray)), which the pattern lacks",
            "use one of: \(GenerationError.list(slots))")
    }
}
