// A line of metadata.jsonl as it stands in the file, before it is checked.
import Foundation

/// The fields that are read; others are allowed and passed over.
struct MetadataLine: Decodable {
    /// A caption variant: an object, or a plain string.
    struct Caption: Decodable {
        let text: String
        var language: String?
        var weight: Double?

        private enum CodingKeys: String, CodingKey { case text, language, weight }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                self.text = text
                return
            }
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            text = try fields.decode(String.self, forKey: .text)
            language = try fields.decodeIfPresent(String.self, forKey: .language)
            weight = try fields.decodeIfPresent(Double.self, forKey: .weight)
        }
    }

    let fileName: String
    let text: String?
    let texts: [Caption]?
    let mask: String?
    let concept: String?
    let split: String?
    let group: String?
    let subgroup: String?

    private enum CodingKeys: String, CodingKey {
        case fileName = "file_name"
        case text, texts, mask, concept, split, group, subgroup
    }
}

extension DecodingError {
    /// What a JSON line lacks, for people.
    var problem: (what: String, remedy: String) {
        func field(_ path: [any CodingKey], _ key: (any CodingKey)? = nil) -> String {
            (path + [key].compactMap { $0 })
                .map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
                .joined(separator: ".").replacingOccurrences(of: ".[", with: "[")
        }
        switch self {
        case .keyNotFound(let key, let context):
            return ("has no \"\(field(context.codingPath, key))\"", "add the field")
        case .typeMismatch(let type, let context) where !context.codingPath.isEmpty:
            return (
                "\"\(field(context.codingPath))\" is not a \(Self.name(type))",
                "write a \(Self.name(type)) there"
            )
        case .valueNotFound(let type, let context):
            return ("\"\(field(context.codingPath))\" is null", "write a \(Self.name(type)) there")
        case .typeMismatch:
            return ("is not a JSON object", "write one object a line, {\"file_name\": …}")
        default:
            return ("is not valid JSON", "write one JSON object a line, in UTF-8")
        }
    }

    private static func name(_ type: Any.Type) -> String {
        if type == String.self { return "string" }
        if type == Double.self { return "number" }
        return "value of the right kind"
    }
}
