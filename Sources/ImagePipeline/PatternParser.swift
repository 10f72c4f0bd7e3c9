// Splits a template's pattern into clauses, so that an empty slot can vanish with its separator.

/// Reads patterns such as `{subject}, {action}, in {lighting} light`.
enum PatternParser {
    /// Why a pattern cannot be read.
    struct Failure: Error {
        let what: String
        let remedy: String
    }

    private typealias Clause = PromptTemplate.Clause
    private static let separators: Set<Character> = [",", ";", "，", "、", "；", "。", "\n"]

    /// The clauses of `pattern`, and the punctuation at its end.
    static func parse(_ pattern: String) throws -> (
        clauses: [PromptTemplate.Clause], ending: String
    ) {
        var clauses: [Clause] = []
        var clause = Clause(separator: "", pieces: [])
        var rest = Substring(pattern)
        while let character = rest.first {
            if character == "{" {
                clause.pieces.append(.slot(try takeSlot(&rest)))
            } else if let separator = takeSeparator(&rest) {
                if clause.pieces.isEmpty {
                    clause.separator += separator
                } else {
                    clauses.append(clause)
                    clause = Clause(separator: separator, pieces: [])
                }
            } else {
                try take(character, from: &rest, into: &clause)
            }
        }
        if clause.pieces.isEmpty { return (clauses, clause.separator) }
        return (clauses + [clause], "")
    }

    /// Takes a plain character; spaces before a separator go with the separator.
    private static func take(
        _ character: Character, from rest: inout Substring, into clause: inout Clause
    ) throws {
        guard character != "}" else {
            throw Failure(what: "has \"}\" without \"{\"", remedy: "write slots as {name}")
        }
        rest.removeFirst()
        if case .text(let text) = clause.pieces.last {
            clause.pieces[clause.pieces.count - 1] = .text(text + String(character))
        } else {
            clause.pieces.append(.text(String(character)))
        }
    }

    private static func takeSlot(_ rest: inout Substring) throws -> String {
        let name = rest.dropFirst().prefix { $0 != "}" && $0 != "{" }
        let isClosed = rest.dropFirst(name.count + 1).first == "}"
        guard isClosed, !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else {
            throw Failure(
                what: "has an unclosed or unnamed slot at "
                    + GenerationError.quote(String(rest), limit: 20),
                remedy: "write slots as {name}, with letters, digits and \"_\"")
        }
        rest = rest.dropFirst(name.count + 2)
        return String(name)
    }

    /// Takes punctuation with the white space around it. A full stop counts at the end of a word
    /// only.
    private static func takeSeparator(_ rest: inout Substring) -> String? {
        let body = rest.drop { $0 == " " }
        guard let mark = body.first else { return nil }
        let next = body.dropFirst().first
        let isFullStop = mark == "." && (next.map(\.isWhitespace) ?? true)
        guard separators.contains(mark) || isFullStop else { return nil }
        let after = body.dropFirst().drop(while: \.isWhitespace)
        let separator = rest[..<after.startIndex]
        rest = after
        return String(separator)
    }
}
