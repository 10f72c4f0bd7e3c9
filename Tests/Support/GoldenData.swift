// The checked-in reference data and where it lies.
import Checkpoints
import Foundation
import TensorCore

/// Places in the repository.
public enum Repository {
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    public static func path(_ relative: String) -> String {
        root.appendingPathComponent(relative).path
    }
}

/// Tensors and cases that diffusers wrote (`Tests/Golden/README.md`).
public struct GoldenData {
    /// The tiny checkpoints.
    public static let checkpoints = [
        "a-f32-single", "b-bf16-sharded", "c-f16-options", "d-bf16-defaults",
    ]

    public let folder: String
    private let files: [SafetensorsFile]
    public let cases: JSONValue

    /// The data of one tiny checkpoint.
    public init(checkpoint: String) throws {
        folder = Repository.path("Tests/Golden/\(checkpoint)")
        files = try ["text", "schedule", "transformer", "vae", "pipeline"].map {
            [folder] in try SafetensorsFile(path: "\(folder)/golden/\($0).safetensors")
        }
        cases = try Self.json("\(folder)/golden/cases.json")
    }

    /// One of the files beside the checkpoints: `noise`, `operations` or `box`.
    public init(file: String) throws {
        folder = Repository.path("Tests/Golden")
        files = [try SafetensorsFile(path: "\(folder)/\(file).safetensors")]
        let path = "\(folder)/\(file).json"
        cases = FileManager.default.fileExists(atPath: path) ? try Self.json(path) : .null
    }

    private static func json(_ path: String) throws -> JSONValue {
        try JSONDecoder().decode(
            JSONValue.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    public struct Missing: Error, CustomStringConvertible {
        public let description: String
    }

    public func contains(_ name: String) -> Bool {
        files.contains { $0.entries[name] != nil }
    }

    public var names: [String] { files.flatMap { $0.entries.keys }.sorted() }

    public func tensor(_ name: String) throws -> Tensor {
        for file in files {
            if let tensor = try file.tensor(name) { return tensor }
        }
        throw Missing(description: "no golden tensor \(name)")
    }

    public func bytes(_ name: String) throws -> [UInt8] {
        for file in files {
            if let bytes = file.bytes(name) { return [UInt8](bytes) }
        }
        throw Missing(description: "no golden tensor \(name)")
    }
}

extension JSONValue {
    /// A member of an object, or null.
    public subscript(name: String) -> JSONValue {
        objectValue?[name] ?? .null
    }
}

/// The largest difference relative to the largest expected magnitude; infinite when shapes or
/// finiteness differ.
public func relativeError(_ actual: Tensor, _ expected: Tensor) -> Float {
    guard actual.count == expected.count else { return .infinity }
    return relativeError(actual.elements, expected.elements)
}

public func relativeError(_ actual: [Float], _ expected: [Float]) -> Float {
    guard actual.count == expected.count else { return .infinity }
    var (difference, magnitude) = (Float(0), Float(0))
    for (a, b) in zip(actual, expected) {
        guard a.isFinite, b.isFinite else { return .infinity }
        difference = max(difference, abs(a - b))
        magnitude = max(magnitude, abs(b))
    }
    return difference == 0 ? 0 : difference / magnitude
}
