// A valid PNG without a library: stored blocks instead of compression.

enum SamplePNG {
    /// A 96x96 picture whose colours depend on the seed.
    static func gradient(seed: UInt64) -> [UInt8] {
        let side = 96
        var rows: [UInt8] = []
        for y in 0..<side {
            rows.append(0)
            for x in 0..<side {
                let wave = UInt8(truncatingIfNeeded: UInt64(x) * 2 + seed * 37)
                let blue = UInt8(truncatingIfNeeded: 255 &- UInt64(x) &- seed &* 11)
                rows += [wave, UInt8(y * 2), blue]
            }
        }
        var header = bigEndian(UInt32(side)) + bigEndian(UInt32(side))
        header += [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", header)
            + chunk("IDAT", zlib(rows)) + chunk("IEND", [])
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        let length = UInt16(bytes.count)
        out += [1, UInt8(length & 0xff), UInt8(length >> 8)]
        out += [UInt8(~length & 0xff), UInt8(~length >> 8)] + bytes
        return out + bigEndian(b << 16 | a)
    }

    private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        var crc: UInt32 = 0xffff_ffff
        for byte in body {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return bigEndian(UInt32(data.count)) + body + bigEndian(~crc)
    }
}
