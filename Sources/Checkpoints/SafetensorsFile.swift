// The safetensors format: an 8-byte header length, a JSON header, then the tensors' bytes.
// Source: the format description in the safetensors repository's README.
import Foundation
import TensorCore

/// One mapped safetensors file, validated as a whole when opened.
public final class SafetensorsFile {
    /// Where a tensor lies in the file.
    public struct Entry {
        public let elementType: ElementType
        public let shape: [Int]
        /// Bytes from the start of the file.
        let offset: Int
    }

    public let path: String
    public private(set) var entries: [String: Entry] = [:]
    public private(set) var metadata: [String: String] = [:]
    private let storage: TensorStorage

    /// The format's own bound on headers.
    private static let maximumHeaderLength = 100_000_000

    /// Maps and checks a file.
    /// - Throws: `CheckpointError` for a header that is cut short, of a wrong length or not JSON,
    ///   for offsets out of range, overlapping or leaving gaps, for sizes that do not match a shape,
    ///   and for element types other than F32, F16 and BF16.
    public init(path: String) throws {
        self.path = path
        let file = try MappedFile(path: path)
        let size = file.bytes.count
        func malformed(_ what: String, _ tensor: String? = nil) -> CheckpointError {
            CheckpointError(
                .malformedFile, what, file: path, element: tensor.map { "tensor \"\($0)\"" },
                remedy: "download or write the file again")
        }
        guard size >= 8 else { throw malformed("is only \(size) bytes long, shorter than a header") }
        let length = file.bytes.loadUnaligned(as: UInt64.self).littleEndian
        guard length >= 2, length <= Self.maximumHeaderLength, Int(length) <= size - 8 else {
            throw malformed("states a header of \(length) bytes in a file of \(size) bytes")
        }
        storage = TensorStorage(borrowing: file.bytes, owner: file)
        let header: JSONValue
        do {
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[8..<8 + Int(length)])
            header = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
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
            } unsupported: {
                CheckpointError(
                    .wrongElementType, $0, file: path, element: "tensor \"\(name)\"",
                    remedy: "convert the checkpoint to bfloat16, float16 or float32")
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
        _ value: JSONValue, dataStart: Int, _ malformed: (String) -> CheckpointError,
        unsupported: (String) -> CheckpointError
    ) throws -> (Entry, Range<Int>) {
        guard let fields = value.objectValue, let type = fields["dtype"]?.stringValue,
            let dimensions = fields["shape"]?.arrayValue,
            let offsets = fields["data_offsets"]?.arrayValue, offsets.count == 2,
            let start = offsets[0].intValue, let end = offsets[1].intValue
        else { throw malformed("has no dtype, shape and data_offsets") }
        let types: [String: ElementType] = ["F32": .float32, "F16": .float16, "BF16": .bfloat16]
        guard let elementType = types[type] else {
            throw unsupported("has the element type \(type.prefix(20)), which is not supported")
        }
        let shape = dimensions.compactMap(\.intValue)
        guard shape.count == dimensions.count, shape.count <= 8, shape.allSatisfy({ $0 >= 0 })
        else { throw malformed("has a shape that is not a list of sizes") }
        var byteCount = elementType.byteCount
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
            Entry(elementType: elementType, shape: shape, offset: dataStart + start), start..<end
        )
    }

    /// The tensor of that name, a view into the mapped file; nil if there is none.
    public func tensor(_ name: String) -> Tensor? {
        entries[name].map {
            Tensor(
                shape: $0.shape, elementType: $0.elementType, storage: storage,
                byteOffset: $0.offset)
        }
    }
}
