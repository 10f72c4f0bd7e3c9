// The correlation of a frame that is no valid message, as far as it can be read.

/// Walks the outermost protobuf fields of a frame.
enum CorrelationReader {
    /// The value of field 2, if the bytes before it can be read.
    static func correlation(in frame: [UInt8]) -> UInt64? {
        var rest = frame.prefix(4096)
        for _ in 0..<32 {
            guard let tag = varint(&rest) else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = varint(&rest) else { return nil }
                if tag >> 3 == 2 { return value }
            case 1: rest = rest.dropFirst(8)
            case 2:
                guard let count = varint(&rest), count <= UInt64(rest.count) else { return nil }
                rest = rest.dropFirst(Int(count))
            case 5: rest = rest.dropFirst(4)
            default: return nil
            }
        }
        return nil
    }

    /// A frame that was encoded with the correlation 0, which is not written, with another one.
    static func adding(_ correlation: UInt64, to frame: [UInt8]) -> [UInt8] {
        guard correlation != 0 else { return frame }
        var bytes = frame
        bytes.append(2 << 3)
        var rest = correlation
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
        return bytes
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }
}
