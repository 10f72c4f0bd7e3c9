// Writing safetensors files.
import Foundation
import TensorCore

public enum SafetensorsWriter {
    /// Writes tensors in the order of their names; the file appears under its name only when whole.
    /// - Throws: `CheckpointError` when the file cannot be written.
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String
    ) throws {
        let contents = try encode(tensors, metadata: metadata)
        do {
            try contents.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CheckpointError(
                .unwritable, "cannot be written", file: path,
                remedy: "check the folder, its permissions and the free space")
        }
    }

    /// The bytes of a file with these tensors, in the order of their names.
    public static func encode(
        _ tensors: [String: Tensor], metadata: [String: String] = [:]
    ) throws -> Data {
        let names = tensors.keys.sorted()
        var header: [String: JSONValue] = [:]
        if !metadata.isEmpty {
            header["__metadata__"] = .object(metadata.mapValues { .string($0) })
        }
        var offset = 0
        for name in names {
            let tensor = tensors[name]!
            let type = ["float32": "F32", "float16": "F16", "bfloat16": "BF16"]
            header[name] = .object([
                "dtype": .string(type[tensor.elementType.rawValue]!),
                "shape": .array(tensor.shape.map { .integer($0) }),
                "data_offsets": .array([.integer(offset), .integer(offset + tensor.byteCount)]),
            ])
            offset += tensor.byteCount
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(JSONValue.object(header))
        data.append(contentsOf: [UInt8](repeating: 32, count: (8 - data.count % 8) % 8))
        var contents = Data()
        withUnsafeBytes(of: UInt64(data.count).littleEndian) { contents.append(contentsOf: $0) }
        contents.append(data)
        for name in names {
            let tensor = tensors[name]!
            withExtendedLifetime(tensor.storage) {
                contents.append(
                    tensor.bytes.assumingMemoryBound(to: UInt8.self), count: tensor.byteCount)
            }
        }
        return contents
    }
}
