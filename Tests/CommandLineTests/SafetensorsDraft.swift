// Safetensors files that are taken apart, altered and put together again.
import Foundation

/// The header and the data of a safetensors file, to be damaged.
struct SafetensorsDraft {
    /// Entries by tensor name, `__metadata__` among them.
    var header: [String: Any]
    var data: Data

    init(_ file: URL) throws {
        let bytes = try Data(contentsOf: file)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let object = try JSONSerialization.jsonObject(with: bytes.dropFirst(8).prefix(length))
        header = object as? [String: Any] ?? [:]
        data = Data(bytes.dropFirst(8 + length))
    }

    /// - Parameter statedLength: the header length to state; nil for the true one
    func write(to file: URL, statedLength: UInt64? = nil) throws {
        var json = try JSONSerialization.data(withJSONObject: header, options: .sortedKeys)
        json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
        var bytes = Data()
        let length = statedLength ?? UInt64(json.count)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
        }
        try (bytes + json + data).write(to: file)
    }

    /// The names of the tensors, in alphabetical order.
    var names: [String] { header.keys.filter { $0 != "__metadata__" }.sorted() }

    mutating func set(_ name: String, _ key: String, _ value: Any) {
        var entry = header[name] as? [String: Any] ?? [:]
        entry[key] = value
        header[name] = entry
    }

    func shape(_ name: String) -> [Int] {
        (header[name] as? [String: Any])?["shape"] as? [Int] ?? []
    }

    func offsets(_ name: String) -> [Int] {
        (header[name] as? [String: Any])?["data_offsets"] as? [Int] ?? [0, 0]
    }

    func renamed(_ name: String, to other: String) -> SafetensorsDraft {
        var draft = self
        draft.header[other] = draft.header.removeValue(forKey: name)
        return draft
    }

    /// Adds a tensor of one float behind the others.
    mutating func append(_ name: String) {
        header[name] = [
            "dtype": "F32", "shape": [1], "data_offsets": [data.count, data.count + 4],
        ]
        data.append(Data(count: 4))
    }

    /// Overwrites a tensor's bytes.
    mutating func fill(_ name: String, with byte: UInt8) {
        let range = offsets(name)
        data.replaceSubrange(
            range[0]..<range[1], with: Data(repeating: byte, count: range[1] - range[0]))
    }
}
