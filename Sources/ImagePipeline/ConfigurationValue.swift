// The JSON tree behind presets and templates: read first as it is, then checked key by key, so that
// an error can name the key and say what was expected.

import Foundation

/// A JSON value.
enum ConfigurationValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([ConfigurationValue])
    case object([String: ConfigurationValue])

    /// The most bytes a configuration file may have.
    static let fileLimit = 4 << 20

    /// Reads a JSON file whose top level is an object.
    static func object(file path: String) throws -> [String: ConfigurationValue] {
        let bytes = try FileSource.contents(of: path, limit: fileLimit)
        let value: ConfigurationValue
        do {
            value = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw GenerationError(
                code: .invalidConfiguration, field: path, what: "not sound JSON",
                remedy: "correct its syntax")
        }
        guard case .object(let members) = value else {
            throw GenerationError(
                code: .invalidConfiguration, field: path,
                what: "holds \(value.kind) instead of an object", remedy: "put it in { }")
        }
        return members
    }

    /// What the value is, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let value): "the number \(value)"
        case .string(let text): "the text \(GenerationError.quote(text, limit: 40))"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The value as JSON text on one line; keys are sorted.
    var text: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let value): Int(exactly: value).map(String.init) ?? String(value)
        case .string(let text): Self.literal(text)
        case .array(let items): "[" + items.map(\.text).joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { "\(Self.literal($0.key)): \($0.value.text)" }.joined(separator: ", ") + "}"
        }
    }

    /// `text` as a JSON string literal.
    private static func literal(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension ConfigurationValue: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([ConfigurationValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: ConfigurationValue].self))
        }
    }
}

extension ConfigurationValue: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let items): try container.encode(items)
        case .object(let members): try container.encode(members)
        }
    }
}
