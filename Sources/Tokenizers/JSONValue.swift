// A parsed JSON value whose objects keep their order and compare keys byte by byte: Swift's own
// string equality would take differently composed keys for the same token.

/// Any JSON value.
indirect enum JSONValue: Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What the value is, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .real: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    var isNull: Bool { self == .null }
}

/// A JSON object in the order of its file.
struct JSONObject: Equatable {
    /// The file the object is from, and the field within it.
    var location: String
    var members: [Member] = []

    /// A key and its value.
    struct Member: Equatable {
        var key: String
        var value: JSONValue
    }

    /// The value of a key; nil if the key is not there.
    subscript(key: String) -> JSONValue? {
        members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// The value of a key, taking null for absent.
    func present(_ key: String) -> JSONValue? {
        guard let value = self[key], !value.isNull else { return nil }
        return value
    }

    /// A string; nil if absent or null.
    func string(_ key: String) throws(TokenizerError) -> String? {
        guard let value = present(key) else { return nil }
        guard case .string(let text) = value else { throw mismatch(key, value, "a string") }
        return text
    }

    /// A boolean; the default if absent or null.
    func boolean(_ key: String, default absent: Bool = false) throws(TokenizerError) -> Bool {
        guard let value = present(key) else { return absent }
        guard case .boolean(let truth) = value else { throw mismatch(key, value, "true or false") }
        return truth
    }

    /// An object; nil if absent or null.
    func object(_ key: String) throws(TokenizerError) -> JSONObject? {
        guard let value = present(key) else { return nil }
        guard case .object(let object) = value else { throw mismatch(key, value, "an object") }
        return object
    }

    /// An array; nil if absent or null.
    func array(_ key: String) throws(TokenizerError) -> [JSONValue]? {
        guard let value = present(key) else { return nil }
        guard case .array(let values) = value else { throw mismatch(key, value, "an array") }
        return values
    }

    func mismatch(_ key: String, _ value: JSONValue, _ wanted: String) -> TokenizerError {
        .malformed("\"\(key)\" is \(value.kind) instead of \(wanted)", in: location)
    }
}
