// The text that web user interfaces keep under the `parameters` key of an image.
//
// The format comes from AUTOMATIC1111's stable-diffusion-webui (`create_infotext` in
// modules/processing.py, `parse_generation_parameters` in modules/infotext_utils.py): the prompt; a
// line `Negative prompt: …` unless empty; a line of `Name: value` pairs with commas between. A
// value with a comma, a colon or a line end is written as a JSON string.

import Foundation

/// Generation parameters as web user interfaces write them.
public struct InfoText: Equatable, Sendable {
    /// One `Name: value` pair.
    public struct Setting: Equatable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var prompt: String
    public var negativePrompt: String
    /// The pairs of the last line, in order.
    public var settings: [Setting]

    public init(prompt: String, negativePrompt: String, settings: [Setting]) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.settings = settings
    }

    /// The value of the first setting called `name`.
    public subscript(_ name: String) -> String? {
        settings.first { $0.name == name }?.value
    }

    /// The text as it stands in the file.
    public var text: String {
        var lines = [prompt]
        if !negativePrompt.isEmpty { lines.append("Negative prompt: \(negativePrompt)") }
        let pairs = settings.map { "\($0.name): \(Self.quoted($0.value))" }
        lines.append(pairs.joined(separator: ", "))
        return lines.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Reads the text of an image, whoever wrote it. Never fails: a text without settings is a
    /// prompt.
    ///
    /// As in the original, lines lose the space at their ends, and a last line of fewer than three
    /// pairs belongs to the prompt.
    public init(parsing text: String) {
        // By scalars: a mark that combines with a line end, comma or quote must not hide it.
        var lines = Self.trimmed(text.unicodeScalars[...]).unicodeScalars
            .split(separator: "\n", omittingEmptySubsequences: false)
        let parsed = lines.last.map(Self.parseSettings) ?? []
        if parsed.count >= 3 { lines.removeLast() }
        settings = parsed.count >= 3 ? parsed : []

        let marker = "Negative prompt:"
        var (promptLines, negativeLines): ([String], [String]) = ([], [])
        var isNegative = false
        for line in lines {
            var line = Self.trimmed(line)
            if line.unicodeScalars.starts(with: marker.unicodeScalars) {
                isNegative = true
                line = Self.trimmed(line.unicodeScalars.dropFirst(marker.unicodeScalars.count))
            }
            if isNegative { negativeLines.append(line) } else { promptLines.append(line) }
        }
        prompt = promptLines.joined(separator: "\n")
        negativePrompt = negativeLines.joined(separator: "\n")
    }

    /// `value` as a JSON string when it could be mistaken for the line's own punctuation.
    private static func quoted(_ value: String) -> String {
        let needsQuotes = value.unicodeScalars.contains { ",:\n\r\"".unicodeScalars.contains($0) }
        return needsQuotes ? ConfigurationValue.string(value).text : value
    }

    private typealias Scalars = Substring.UnicodeScalarView

    private static func trimmed(_ scalars: Scalars) -> String {
        String(Substring(scalars)).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The pairs of a line. What is no pair is passed over, up to the next comma.
    private static func parseSettings(_ line: Scalars) -> [Setting] {
        var settings: [Setting] = []
        var rest = line
        while !rest.isEmpty {
            let name = trimmed(rest.prefix { $0 != ":" && $0 != "," })
            rest = rest.drop { $0 != ":" && $0 != "," }
            guard rest.first == ":" else {
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst().drop { $0 == " " }
            let value = takeQuoted(&rest) ?? trimmed(rest.prefix { $0 != "," })
            rest = rest.drop { $0 != "," }.dropFirst()
            if isName(name) { settings.append(Setting(name, value)) }
        }
        return settings
    }

    /// Takes a JSON string from the front of `rest`; nil, and nothing taken, when there is none.
    private static func takeQuoted(_ rest: inout Scalars) -> String? {
        guard rest.first == "\"" else { return nil }
        var isEscaped = false
        for index in rest.indices.dropFirst() {
            if !isEscaped, rest[index] == "\"" {
                let literal = Data(String(Substring(rest[...index])).utf8)
                guard let value = try? JSONDecoder().decode(String.self, from: literal) else {
                    return nil
                }
                rest = rest[index...].dropFirst()
                return value
            }
            isEscaped = !isEscaped && rest[index] == "\\"
        }
        return nil
    }

    /// Letters, digits, spaces, `_`, `-` and `/`, two at least, not starting with punctuation.
    private static func isName(_ name: String) -> Bool {
        guard name.count >= 2, let first = name.first,
            first.isLetter || first.isNumber || first == "_"
        else { return false }
        return name.allSatisfy { $0.isLetter || $0.isNumber || "_ -/".contains($0) }
    }
}
