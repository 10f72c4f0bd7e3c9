// Moves Unicode scalars between UTF-8 bytes known to be valid and plain numbers.

/// One Unicode scalar within valid UTF-8.
struct UTF8Scalar {
    /// The scalar's number.
    let value: UInt32
    /// The bytes it takes.
    let byteCount: Int

    /// Reads the scalar that starts at `index`; the bytes must be valid UTF-8.
    @inline(__always)
    init(in bytes: [UInt8], at index: Int) {
        let lead = bytes[index]
        if lead < 0x80 {
            value = UInt32(lead)
            byteCount = 1
        } else if lead < 0xE0 {
            value = UInt32(lead & 0x1F) << 6 | UInt32(bytes[index + 1] & 0x3F)
            byteCount = 2
        } else if lead < 0xF0 {
            value =
                UInt32(lead & 0x0F) << 12 | UInt32(bytes[index + 1] & 0x3F) << 6
                | UInt32(bytes[index + 2] & 0x3F)
            byteCount = 3
        } else {
            value =
                UInt32(lead & 0x07) << 18 | UInt32(bytes[index + 1] & 0x3F) << 12
                | UInt32(bytes[index + 2] & 0x3F) << 6 | UInt32(bytes[index + 3] & 0x3F)
            byteCount = 4
        }
    }

    /// The index where the scalar before `index` starts.
    static func start(before index: Int, in bytes: [UInt8]) -> Int {
        var start = index - 1
        while bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// Appends the UTF-8 of a scalar.
    static func append(_ value: UInt32, to buffer: inout [UInt8]) {
        switch value {
        case 0..<0x80:
            buffer.append(UInt8(value))
        case 0x80..<0x800:
            buffer.append(UInt8(0xC0 | value >> 6))
            buffer.append(UInt8(0x80 | value & 0x3F))
        case 0x800..<0x10000:
            buffer.append(UInt8(0xE0 | value >> 12))
            buffer.append(UInt8(0x80 | value >> 6 & 0x3F))
            buffer.append(UInt8(0x80 | value & 0x3F))
        default:
            buffer.append(UInt8(0xF0 | value >> 18))
            buffer.append(UInt8(0x80 | value >> 12 & 0x3F))
            buffer.append(UInt8(0x80 | value >> 6 & 0x3F))
            buffer.append(UInt8(0x80 | value & 0x3F))
        }
    }
}
