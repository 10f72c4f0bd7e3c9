// A configuration file, with errors that name the field.
import Foundation

/// A JSON object from a file, read field by field.
public struct Configuration: Sendable {
    public let file: String
    public let fields: [String: JSONValue]

    /// Configurations are small; a larger file is not one.
    private static let maximumByteCount = 4 << 20

    public init(path: String) throws {
        let bytes = try MappedFile(path: path)
        guard bytes.bytes.count <= Self.maximumByteCount else {
            throw CheckpointError(
                .malformedFile, "is \(bytes.bytes.count) bytes long, too large for a configuration",
                file: path, remedy: "name a diffusers checkpoint folder")
        }
        do {
            let value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes.bytes))
            guard let object = value.objectValue else {
                throw CheckpointError(
                    .malformedFile, "is not a JSON object", file: path,
                    remedy: "restore the file from its source")
            }
            self.init(file: path, fields: object)
        } catch let error as DecodingError {
            throw CheckpointError(
                .malformedFile, "is not valid JSON (\(error.shortDescription))", file: path,
                remedy: "restore the file from its source")
        }
    }

    public init(file: String, fields: [String: JSONValue]) {
        self.file = file
        self.fields = fields
    }

    public func int(
        _ name: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 1...1 << 20
    ) throws -> Int {
        try field(name, default: fallback, kind: "a whole number") { $0.intValue }
            .checked { range.contains($0) }
            ?? invalid(name, "is outside \(range.lowerBound)...\(range.upperBound)")
    }

    public func float(
        _ name: String, default fallback: Double? = nil, in range: ClosedRange<Double>
    ) throws -> Double {
        try field(name, default: fallback, kind: "a number") { $0.doubleValue }
            .checked { range.contains($0) }
            ?? invalid(name, "is outside \(range.lowerBound)...\(range.upperBound)")
    }

    public func bool(_ name: String, default fallback: Bool? = nil) throws -> Bool {
        try field(name, default: fallback, kind: "true or false") { $0.boolValue }
    }

    public func string(_ name: String, default fallback: String? = nil) throws -> String {
        try field(name, default: fallback, kind: "a string") { $0.stringValue }
    }

    public func ints(
        _ name: String, default fallback: [Int]? = nil, in range: ClosedRange<Int> = 1...1 << 20
    ) throws -> [Int] {
        let values = try field(name, default: fallback, kind: "a list of whole numbers") {
            $0.arrayValue?.reduce(into: [Int]?([])) { list, item in
                if let value = item.intValue { list?.append(value) } else { list = nil }
            }
        }
        guard !values.isEmpty, values.count <= 64, values.allSatisfy(range.contains) else {
            return try invalid(name, "is empty, too long or has an entry outside \(range)")
        }
        return values
    }

    public func isAbsent(_ name: String) -> Bool {
        fields[name] == nil || fields[name] == .null
    }

    private func field<Value>(
        _ name: String, default fallback: Value?, kind: String,
        _ convert: (JSONValue) -> Value?
    ) throws -> Value {
        guard let value = fields[name], value != .null else {
            if let fallback { return fallback }
            return try invalid(name, "is missing")
        }
        return try convert(value) ?? invalid(name, "is not \(kind)")
    }

    /// Throws an error about a field.
    public func invalid<Value>(_ name: String, _ what: String) throws -> Value {
        throw fault(name, what)
    }

    /// An error about a field.
    public func fault(_ name: String, _ what: String) -> CheckpointError {
        CheckpointError(
            .invalidField, what, file: file, element: "field \"\(name)\"",
            remedy: "restore the file from its source")
    }

    /// Throws unless the field is absent or has one of the values that the engine implements.
    public func require(_ name: String, _ supported: [JSONValue]) throws {
        guard let value = fields[name], value != .null, !supported.contains(value) else { return }
        let list = supported.map { "\($0.plain)" }.joined(separator: ", ")
        throw CheckpointError(
            .unsupported, "is \(value.plain), which is not supported", file: file,
            element: "field \"\(name)\"", remedy: "use a checkpoint where it is one of: \(list)")
    }
}

extension JSONValue {
    /// The value as a person would write it.
    var plain: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .array(let value): "a list of \(value.count)"
        case .object: "an object"
        }
    }
}

extension DecodingError {
    var shortDescription: String {
        switch self {
        case .dataCorrupted(let context), .typeMismatch(_, let context),
            .valueNotFound(_, let context), .keyNotFound(_, let context):
            let underlying = context.underlyingError.map { "\($0)" } ?? context.debugDescription
            return String(underlying.prefix(160))
        @unknown default: return "unreadable"
        }
    }
}

extension Int {
    fileprivate func checked(_ test: (Int) -> Bool) -> Int? { test(self) ? self : nil }
}
extension Double {
    fileprivate func checked(_ test: (Double) -> Bool) -> Double? { test(self) ? self : nil }
}
