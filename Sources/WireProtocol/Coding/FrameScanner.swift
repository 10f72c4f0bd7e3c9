// A walk over a frame before anything is allocated for it. It follows the protobuf encoding
// (https://protobuf.dev/programming-guides/encoding/) and protoc-c's descriptors, and refuses what
// the unpacker would spend memory on or would read loosely: fields beyond the limits, NUL in text
// (protoc-c's strings end there), and messages or oneofs that are given twice.

import CProtobufC
import CTurbineProto

/// Checks one frame against its limits and the shape of its message.
struct FrameScanner {
    private let frame: UnsafeRawBufferPointer
    private var fieldsLeft: Int

    /// Throws if the frame is over its limits or is no message of the described type.
    static func check(
        _ frame: UnsafeRawBufferPointer, descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        limits: FrameLimits
    ) throws(WireError) {
        guard frame.count <= limits.bytes else {
            throw WireError(
                .frameTooLarge, "has \(frame.count) bytes", field: "",
                remedy: "send at most \(limits.bytes)")
        }
        var scanner = FrameScanner(frame: frame, fieldsLeft: limits.fields)
        try scanner.scan(0..<frame.count, descriptor, depth: 0)
    }

    /// The `correlation` of a client's frame, as far as it can be read; 0 otherwise.
    static func salvageCorrelation(_ frame: UnsafeRawBufferPointer) -> UInt64 {
        let scanner = FrameScanner(frame: frame, fieldsLeft: 0)
        var position = 0
        for _ in 0..<64 where position < frame.count {
            guard let tag = try? scanner.varint(at: &position, end: frame.count) else { return 0 }
            if tag == 2 << 3 {
                return (try? scanner.varint(at: &position, end: frame.count)) ?? 0
            }
            guard (try? scanner.skip(tag & 7, at: &position, end: frame.count)) != nil else {
                return 0
            }
        }
        return 0
    }

    /// What has been seen of one message's fields.
    private struct Seen {
        var fields: UInt64 = 0
        var oneofs: SIMD4<UInt64> = .zero
        /// The list that is being counted; lists come in one piece from every usual writer.
        var list: (field: UInt32, count: Int) = (0, 0)

        /// Records a member of the oneof whose case is stored at this offset of the record.
        mutating func insertOneof(caseOffset: UInt32) -> Bool {
            let slot = Int(caseOffset >> 2) & 255
            let bit: UInt64 = 1 << UInt64(slot & 63)
            defer { oneofs[slot >> 6] |= bit }
            return oneofs[slot >> 6] & bit == 0
        }
    }

    private mutating func scan(
        _ range: Range<Int>, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int
    ) throws(WireError) {
        guard depth <= WireLimits.nesting else { throw malformed("is nested too deeply") }
        var position = range.lowerBound
        var seen = Seen()
        while position < range.upperBound {
            let tag = try varint(at: &position, end: range.upperBound)
            guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw malformed("has a bad field tag") }
            guard fieldsLeft > 0 else {
                throw WireError(
                    .limitExceeded, "has too many fields", field: "", remedy: "send fewer")
            }
            fieldsLeft -= 1
            let number = UInt32(truncatingIfNeeded: tag >> 3)
            guard let field = protobuf_c_message_descriptor_get_field(descriptor, number) else {
                _ = try skip(tag & 7, at: &position, end: range.upperBound)
                continue
            }
            do {
                try scan(
                    field.pointee, wireType: tag & 7, at: &position, end: range.upperBound,
                    &seen, depth: depth)
            } catch {
                throw error.inside(String(cString: field.pointee.name))
            }
        }
    }

    private mutating func scan(
        _ field: ProtobufCFieldDescriptor, wireType: UInt64, at position: inout Int, end: Int,
        _ seen: inout Seen, depth: Int
    ) throws(WireError) {
        let isList = field.label == PROTOBUF_C_LABEL_REPEATED
        let expected = Self.wireType(of: field.type)
        guard wireType == expected || (isList && wireType == 2 && expected != 2) else {
            throw malformed("has the wrong wire type")
        }
        let body = try skip(wireType, at: &position, end: end)
        if isList {
            try count(field, body, &seen)
        } else {
            try refuseRepetition(field, &seen)
        }
        switch field.type {
        case PROTOBUF_C_TYPE_STRING:
            guard body.count <= WireLimits.longestField else { throw tooLong(body.count) }
            guard !UnsafeRawBufferPointer(rebasing: frame[body]).contains(0) else {
                throw .holdsNull("")
            }
        case PROTOBUF_C_TYPE_BYTES:
            guard body.count <= WireLimits.longestField else { throw tooLong(body.count) }
        case PROTOBUF_C_TYPE_MESSAGE:
            try scan(
                body, field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self),
                depth: depth + 1)
        default:
            break
        }
    }

    private func count(
        _ field: ProtobufCFieldDescriptor, _ body: Range<Int>, _ seen: inout Seen
    ) throws(WireError) {
        if seen.list.field != field.id { seen.list = (field.id, 0) }
        let isPacked = field.type != PROTOBUF_C_TYPE_MESSAGE && field.type != PROTOBUF_C_TYPE_STRING
        seen.list.count += isPacked ? max(1, body.count) : 1
        guard seen.list.count <= WireLimits.longestList else {
            throw .overLimit("", seen.list.count, WireLimits.longestList, "entries")
        }
    }

    private func refuseRepetition(
        _ field: ProtobufCFieldDescriptor, _ seen: inout Seen
    ) throws(WireError) {
        let bit: UInt64 = field.id < 64 ? 1 << UInt64(field.id) : 0
        guard seen.fields & bit == 0 else { throw malformed("is given twice") }
        seen.fields |= bit
        if field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
            guard seen.insertOneof(caseOffset: field.quantifier_offset) else {
                throw malformed("is given beside another field of its oneof")
            }
        }
    }

    /// Moves past a field's value; returns where its bytes are, without the length.
    private func skip(
        _ wireType: UInt64, at position: inout Int, end: Int
    ) throws(WireError) -> Range<Int> {
        let start = position
        switch wireType {
        case 0:
            _ = try varint(at: &position, end: end)
            return start..<position
        case 1, 5:
            let size = wireType == 1 ? 8 : 4
            guard end - position >= size else { throw malformed("is cut short") }
            position += size
            return start..<position
        case 2:
            let length = try varint(at: &position, end: end)
            guard length <= UInt64(end - position) else { throw malformed("is cut short") }
            let body = position..<position + Int(length)
            position = body.upperBound
            return body
        default:
            throw malformed("has an unknown wire type")
        }
    }

    private func varint(at position: inout Int, end: Int) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = frame[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift < 70 else { throw malformed("has an overlong number") }
        }
        throw malformed("is cut short")
    }

    private static func wireType(of type: ProtobufCType) -> UInt64 {
        switch type {
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: 2
        case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64: 1
        case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32: 5
        default: 0
        }
    }

    private func malformed(_ what: String) -> WireError {
        WireError(.malformed, what, field: "", remedy: "send one message of Proto/ in the frame")
    }

    private func tooLong(_ count: Int) -> WireError {
        .overLimit("", count, WireLimits.longestField, "bytes")
    }
}
