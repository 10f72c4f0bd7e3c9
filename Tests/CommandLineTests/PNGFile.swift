// A PNG file as its format description says: an independent check of what the encoder wrote.
import Foundation

/// The chunks of a PNG file, checked for order, length and checksum.
struct PNGFile {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var width = 0
    private(set) var height = 0
    /// Text chunks by key.
    private(set) var text: [String: String] = [:]
    /// Bytes of compressed pixels.
    private(set) var dataLength = 0

    init(_ data: Data) throws {
        let bytes = [UInt8](data)
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
            throw Malformed(description: "no PNG signature")
        }
        var position = 8
        var names: [String] = []
        while position < bytes.count {
            guard position + 12 <= bytes.count else { throw Malformed(description: "cut short") }
            let length = Self.number(bytes, position)
            let end = position + 12 + length
            guard end <= bytes.count else { throw Malformed(description: "cut short") }
            let body = Array(bytes[position + 8..<end - 4])
            let checked = bytes[position + 4..<end - 4]
            guard Self.checksum(checked) == UInt32(Self.number(bytes, end - 4)) else {
                throw Malformed(description: "wrong checksum")
            }
            let name = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
            names.append(name)
            read(name, body)
            position = end
        }
        guard names.first == "IHDR", names.last == "IEND", names.contains("IDAT") else {
            throw Malformed(description: "chunks are \(names)")
        }
    }

    private mutating func read(_ name: String, _ body: [UInt8]) {
        switch name {
        case "IHDR" where body.count == 13:
            (width, height) = (Self.number(body, 0), Self.number(body, 4))
        case "IDAT":
            dataLength += body.count
        case "tEXt":
            let parts = body.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            // Latin-1: a byte is a scalar.
            text[String(decoding: parts[0], as: UTF8.self)] = String(
                String.UnicodeScalarView(parts[1].map { Unicode.Scalar($0) }))
        case "iTXt":
            // Key, 0, compression flag and method, language, 0, translated key, 0, text.
            let key = body.prefix { $0 != 0 }
            let rest = body.dropFirst(key.count + 3)
            let parts = rest.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            text[String(decoding: key, as: UTF8.self)] = String(decoding: parts[2], as: UTF8.self)
        default:
            break
        }
    }

    private static func number(_ bytes: [UInt8], _ start: Int) -> Int {
        bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return ~value
    }
}
