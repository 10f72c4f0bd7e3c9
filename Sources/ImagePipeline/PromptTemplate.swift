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
    private static let keys = [
        "name", "language", "description", "pattern", "defaults", "required", "suggestions",
    ]

    /// Reads a template from a JSON value; `location` is the file and key, for errors.
    init(_ value: ConfigurationValue, location: String) throws {
        func failure(_ key: String, _ what: String, _ remedy: String) -> GenerationError {
            GenerationError(
                code: .invalidConfiguration, field: location + (key.isEmpty ? "" : ".\(key)"),
                what: what, remedy: remedy)
        }
        guard case .object(let members) = value else {
            throw failure("", "is \(value.kind)", "use an object")
        }
        if let key = members.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            throw failure(
                "", "has no key \(GenerationError.quote(key))",
                "use one of: \(GenerationError.list(Self.keys))")
        }
        func text(_ key: String) throws -> String {
            guard case .string(let text) = members[key] ?? .null, !text.isEmpty else {
                throw failure(key, "is missing or no text", "use a text that is not empty")
            }
            return text
        }
        func object(_ key: String) throws -> [String: ConfigurationValue] {
            guard case .object(let object) = members[key] ?? .object([:]) else {
                throw failure(key, "is no object", "use an object with slots as its keys")
            }
            return object
        }
        func texts(_ key: String, _ value: ConfigurationValue) throws -> [String] {
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
        name = try text("name")
        language = try text("language")
        summary = try text("description")
        pattern = try text("pattern")
        do {
            (clauses, ending) = try PatternParser.parse(pattern)
        } catch let error as PatternParser.Failure {
            throw failure("pattern", error.what, error.remedy)
        }
        slots = Array(clauses.flatMap(\.slots).uniqued())
        defaults = try object("defaults").mapValues { value in
            guard case .string(let text) = value else {
                throw failure("defaults", "holds \(value.kind)", "use texts")
            }
            return text
        }
        required = try texts("required", members["required"] ?? .array([]))
        suggestions = try object("suggestions").mapValues { try texts("suggestions", $0) }
        let mentioned = [
            ("defaults", Array(defaults.keys)), ("required", required),
            ("suggestions", Array(suggestions.keys)),
        ]
        for (key, names) in mentioned {
            if let stray = names.sorted().first(where: { !slots.contains($0) }) {
                throw failure(
                    key, "names the slot \(GenerationError.quote(stray)), which the pattern lacks",
                    "use one of: \(GenerationError.list(slots))")
            }
        }
    }
}

extension Sequence where Element: Hashable {
    /// The elements without repetitions, in order of first appearance.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
