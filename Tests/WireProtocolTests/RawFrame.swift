// Frames built byte by byte, to be wrong in one place each.

/// Protobuf fields without a schema.
enum RawFrame {
    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        varint(field << 3) + varint(value)
    }

    static func bytes(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(content.count)) + content
    }

    static func text(_ field: UInt64, _ content: String) -> [UInt8] {
        bytes(field, Array(content.utf8))
    }

    static func real(_ field: UInt64, _ value: Double) -> [UInt8] {
        varint(field << 3 | 1) + (0..<8).map { UInt8(value.bitPattern >> ($0 * 8) & 0xff) }
    }

    /// A client message of version 1 with correlation 7.
    static func client(_ request: [UInt8]) -> [UInt8] {
        number(1, 1) + number(2, 7) + request
    }

    /// A generate request around the fields of its GenerationRequest.
    static func generate(_ request: [UInt8], besides: [UInt8] = []) -> [UInt8] {
        client(bytes(10, bytes(2, request) + besides))
    }
}
