// The safetensors format: an 8-byte header length, a JSON header, then the tensors' bytes.
// Source: the format description in the safetensors repository's README.
import Foundation
import TensorCore

/// One mapped safetensors file, validated as a whole when opened.
public final class SafetensorsFile {
    /// Where a tensor lies in the file.
    public struct Entry {
        /// The format's name of the element type, such as BF16.
        public let typeName: String
        public let shape: [Int]
        public let byteCount: Int
        /// Bytes from the start of the file.
        let offset: Int

        /// The element type, if it is one that tensors have.
        public var elementType: ElementType? {
            ["F32": .float32, "F16": .float16, "BF16": .bfloat16][typeName]
        }
    }

    /// Bytes an element, by the format's names. Types that tensors do not have are allowed in a file
    /// as long as nobody asks for them.
    private static let elementSizes = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2,
        "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
    ]

    public let path: String
    public private(set) var entries: [String: Entry] = [:]
    public private(set) var metadata: [String: String] = [:]
    private let storage: TensorStorage

    /// The format's own bound on headers.
    private static let maximumHeaderLength = 100_000_000

    /// Maps and checks a file.
    /// - Throws: `CheckpointError` for a header that is cut short, of a wrong length or not JSON,
    ///   for offsets out of range, overlapping or leaving gaps, and for sizes that do not match a
    ///   shape.
    public convenience init(path: String) throws {
        let file = try MappedFile(path: path)
        try self.init(bytes: file.bytes, owner: file, path: path)
    }

    /// Checks a file's bytes in memory; `name` stands for the path in errors.
    /// - Throws: as `init(path:)`.
    public convenience init(contents: [UInt8], name: String) throws {
        let copy = TensorStorage(byteCount: contents.count)
        contents.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { memcpy(copy.baseAddress, start, bytes.count) }
        }
        let bytes = UnsafeRawBufferPointer(start: copy.baseAddress, count: contents.count)
        try self.init(bytes: bytes, owner: copy, path: name)
    }

    private init(bytes: UnsafeRawBufferPointer, owner: AnyObject, path: String) throws {
        self.path = path
        let size = bytes.count
        func malformed(_ what: String, _ tensor: String? = nil) -> CheckpointError {
            CheckpointError(
                .malformedFile, what, file: path, element: tensor.map { "tensor \"\($0)\"" },
                remedy: "download or write the file again")
        }
        guard size >= 8 else {
            throw malformed("is only \(size) bytes long, shorter than a header")
        }
        let length = bytes.loadUnaligned(as: UInt64.self).littleEndian
        guard length >= 2, length <= Self.maximumHeaderLength, Int(length) <= size - 8 else {
            throw malformed("states a header of \(length) bytes in a file of \(size) bytes")
        }
        storage = TensorStorage(borrowing: bytes, owner: owner)
        let header: JSONValue
        do {
            let text = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + Int(length)])
            header = try JSONDecoder().decode(JSONValue.self, from: Data(text))
        } catch {
            throw malformed("has a header that is not valid JSON")
        }
        guard let fields = header.objectValue else {
            throw malformed("has a header that is not a JSON object")
        }
        let dataStart = 8 + Int(length)
        var ranges: [(start: Int, end: Int, name: String)] = []
        for (name, value) in fields {
            if name == "__metadata__" {
                metadata = value.objectValue?.compactMapValues(\.stringValue) ?? [:]
                continue
            }
            let (entry, range) = try Self.entry(value, dataStart: dataStart) {
                malformed($0, name)
            }
            entries[name] = entry
            ranges.append((range.lowerBound, range.upperBound, name))
        }
        ranges.sort { ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name) }
        var end = 0
        for range in ranges {
            guard range.end <= size - dataStart else {
                throw malformed(
                    "ends at byte \(range.end) of \(size - dataStart) data bytes: the file is cut "
                        + "short", range.name)
            }
            guard range.start == end else {
                throw malformed(
                    range.start < end ? "overlaps another tensor" : "leaves a gap before it",
                    range.name)
            }
            end = range.end
        }
        guard end == size - dataStart else {
            throw malformed("has \(size - dataStart - end) bytes after its last tensor")
        }
    }

    private static func entry(
        _ value: JSONValue, dataStart: Int, _ malformed: (String) -> CheckpointError
    ) throws -> (Entry, Range<Int>) {
        guard let fields = value.objectValue, let type = fields["dtype"]?.stringValue,
            let dimensions = fields["shape"]?.arrayValue,
            let offsets = fields["data_offsets"]?.arrayValue, offsets.count == 2,
            let start = offsets[0].intValue, let end = offsets[1].intValue
        else { throw malformed("has no dtype, shape and data_offsets") }
        guard let elementSize = elementSizes[type] else {
            throw malformed("has the unknown element type \(type.prefix(20))")
        }
        let shape = dimensions.compactMap(\.intValue)
        guard shape.count == dimensions.count, shape.count <= 8, shape.allSatisfy({ $0 >= 0 })
        else { throw malformed("has a shape that is not a list of sizes") }
        var byteCount = elementSize
        for dimension in shape {
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw malformed("has a shape larger than any memory") }
            byteCount = product
        }
        guard start >= 0, end >= start, end - start == byteCount else {
            throw malformed(
                "occupies bytes \(start)..<\(end), but its shape needs \(byteCount) bytes")
        }
        return (
            Entry(typeName: type, shape: shape, byteCount: byteCount, offset: dataStart + start),
            start..<end
        )
    }

    /// The tensor of that name, a view into the mapped file; nil if there is none.
    /// - Throws: `CheckpointError` when its element type is not F32, F16 or BF16.
    public func tensor(_ name: String) throws -> Tensor? {
        guard let entry = entries[name] else { return nil }
        guard let elementType = entry.elementType else {
            throw CheckpointError(
                .wrongElementType, "has the element type \(entry.typeName), which is not supported",
                file: path, element: "tensor \"\(name)\"",
                remedy: "convert the checkpoint to bfloat16, float16 or float32")
        }
        // A tensor at an odd address could not be read as its type.
        let aligned = entry.offset % elementType.byteCount == 0
        let view = aligned ? storage : TensorStorage(byteCount: entry.byteCount)
        if !aligned {
            memcpy(view.baseAddress, storage.baseAddress + entry.offset, entry.byteCount)
        }
        return Tensor(
            shape: entry.shape, elementType: elementType, storage: view,
            byteOffset: aligned ? entry.offset : 0)
    }

    /// The bytes of a tensor of any element type; nil if there is none.
    public func bytes(_ name: String) -> Data? {
        entries[name].map { Data(bytes: storage.baseAddress + $0.offset, count: $0.byteCount) }
    }
}
