// Text entries of a PNG file (tEXt, zTXt and iTXt chunks) and the rules they follow.

/// One text entry of a PNG file.
public struct PNGText: Equatable, Hashable, Sendable {
    /// The keyword, such as `parameters`: 1 to 79 Latin-1 characters.
    public let key: String
    /// The text.
    public let value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// The most bytes of text that one entry may have: what common readers accept.
    public static let byteLimit = 1 << 20
}

extension PNGText {
    /// The entry as the two C strings of a chunk.
    ///
    /// Text of printable Latin-1 characters becomes a tEXt chunk, which every reader shows; all
    /// else becomes an iTXt chunk in UTF-8. This is the choice that Pillow makes.
    /// - Throws: `GenerationError` (`invalidArgument`, `resourceLimit`) for a key or a text that a
    ///   PNG file cannot hold (PNG specification, 11.3.4).
    func chunk() throws -> (key: [UInt8], value: [UInt8], isUTF8: Bool) {
        guard let keyBytes = Self.latin1(key), Self.isKeyword(keyBytes) else {
            throw GenerationError(
                code: .invalidArgument, field: "text key \(GenerationError.quote(key))",
                what: "not a PNG keyword",
                remedy: "use 1 to 79 Latin-1 characters without spaces at the ends or in a row")
        }
        let field = "text \(GenerationError.quote(key))"
        guard value.utf8.count <= Self.byteLimit else {
            throw GenerationError(
                code: .resourceLimit, field: field,
                what: "has \(value.utf8.count) bytes", remedy: "use at most \(Self.byteLimit) bytes"
            )
        }
        guard !value.utf8.contains(0) else {
            throw GenerationError(
                code: .invalidArgument, field: field, what: "contains a NUL character",
                remedy: "remove it")
        }
        if let valueBytes = Self.latin1(value) {
            return (keyBytes + [0], valueBytes + [0], false)
        }
        return (keyBytes + [0], Array(value.utf8) + [0], true)
    }

    /// `text` in Latin-1 when it consists of printable Latin-1 characters, tabs and line ends.
    private static func latin1(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0xA0...0xFF:
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            default: return nil
            }
        }
        return bytes
    }

    private static func isKeyword(_ bytes: [UInt8]) -> Bool {
        guard (1...79).contains(bytes.count), bytes.first != 0x20, bytes.last != 0x20 else {
            return false
        }
        let hasControls = bytes.contains { $0 < 0x20 || $0 == 0xA0 }
        let hasDoubleSpace = zip(bytes, bytes.dropFirst()).contains { $0 == 0x20 && $1 == 0x20 }
        return !hasControls && !hasDoubleSpace
    }
}
