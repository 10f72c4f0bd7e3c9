// Builds PNG files byte by byte, without libpng: every colour type, depth and layout.

/// A PNG file in the making; pixels are stored uncompressed.
struct PNGFixture {
    enum Color: UInt8 {
        case gray = 0
        case rgb = 2
        case palette = 3
        case grayAlpha = 4
        case rgba = 6

        var channels: Int {
            switch self {
            case .gray, .palette: 1
            case .grayAlpha: 2
            case .rgb: 3
            case .rgba: 4
            }
        }
    }

    var color: Color
    var depth: Int
    var width: Int
    var height: Int
    var isInterlaced = false
    var palette: [UInt8] = []
    var transparency: [UInt8] = []
    /// Chunks between the header and the pixels.
    var extra: [(type: String, body: [UInt8])] = []
    /// The stored sample of a pixel: (x, y, channel) → 0 to 2^depth − 1.
    var sample: (Int, Int, Int) -> Int

    var bytes: [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let header =
            Self.bigEndian(width) + Self.bigEndian(height)
            + [UInt8(depth), color.rawValue, 0, 0, isInterlaced ? 1 : 0]
        file += Self.chunk("IHDR", header)
        if !palette.isEmpty { file += Self.chunk("PLTE", palette) }
        if !transparency.isEmpty { file += Self.chunk("tRNS", transparency) }
        for (type, body) in extra { file += Self.chunk(type, body) }
        file += Self.chunk("IDAT", Self.zlibStored(scanlines))
        return file + Self.chunk("IEND", [])
    }

    /// The rows of all passes, each after its filter byte (0: none).
    private var scanlines: [UInt8] {
        // First column, first row, column step, row step of each pass (PNG specification, 8.2).
        let adam7 = [
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
            (0, 1, 1, 2),
        ]
        var result: [UInt8] = []
        for (x0, y0, dx, dy) in isInterlaced ? adam7 : [(0, 0, 1, 1)] where x0 < width {
            for y in stride(from: y0, to: height, by: dy) {
                result.append(0)
                result += packedRow(stride(from: x0, to: width, by: dx), y)
            }
        }
        return result
    }

    private func packedRow(_ columns: StrideTo<Int>, _ y: Int) -> [UInt8] {
        var row: [UInt8] = []
        var (bits, bitCount) = (0, 0)
        for x in columns {
            for channel in 0..<color.channels {
                bits = bits << depth | sample(x, y, channel)
                bitCount += depth
                while bitCount >= 8 {
                    row.append(UInt8(bits >> (bitCount - 8) & 0xFF))
                    bitCount -= 8
                }
                bits &= 0xFFFF
            }
        }
        if bitCount > 0 { row.append(UInt8(bits << (8 - bitCount) & 0xFF)) }
        return row
    }

    /// A chunk with its length and checksum.
    static func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
        let named = Array(type.utf8) + body
        return bigEndian(body.count) + named + bigEndian(Int(crc32(named)))
    }

    /// A zlib stream of stored blocks.
    static func zlibStored(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let count = min(65_535, bytes.count - start)
            let isLast: UInt8 = start + count == bytes.count ? 1 : 0
            let (low, high) = (UInt8(count & 0xFF), UInt8(count >> 8))
            result += [isLast, low, high, ~low, ~high] + bytes[start..<start + count]
            start += count
        } while start < bytes.count
        return result + bigEndian(adler32(bytes))
    }

    static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(value >> $0 & 0xFF) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func adler32(_ bytes: [UInt8]) -> Int {
        var (a, b) = (1, 0)
        for byte in bytes {
            a = (a + Int(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }
}
