// A strict JSON reader (RFC 8259) over bytes in memory. A tokenizer.json of 11 MB is nearly all
// vocabulary and merges: those are read straight into flat buffers, token by token, where a general
// decoder would make hundreds of thousands of small objects first.

/// Reads JSON from valid UTF-8, from front to back.
struct JSONReader {
    /// Deeper nesting is refused: no tokenizer file needs it, and recursion must end.
    static let maximumDepth = 64

    let bytes: [UInt8]
    /// The file, for messages.
    let location: String
    private(set) var position = 0
    private var depth = 0
    private var scratch: [UInt8] = []

    init(bytes: [UInt8], location: String) {
        self.bytes = bytes
        self.location = location
    }

    /// Reads one value that must be the whole content.
    mutating func readDocument() throws(TokenizerError) -> JSONValue {
        let value = try readValue()
        try expectEnd()
        return value
    }

    /// Requires that nothing but white space is left.
    mutating func expectEnd() throws(TokenizerError) {
        skipSpace()
        if position != bytes.count { throw error("text after the end of the JSON value") }
    }

    /// Reads any value.
    mutating func readValue() throws(TokenizerError) -> JSONValue {
        switch peek() {
        case UInt8(ascii: "{"):
            var object = JSONObject(location: location)
            var seen: Set<[UInt8]> = []
            try readObject { key, reader throws(TokenizerError) in
                guard seen.insert(Array(key.utf8)).inserted else {
                    throw reader.error("the key \"\(key)\" occurs twice")
                }
                object.members.append(.init(key: key, value: try reader.readValue()))
            }
            return .object(object)
        case UInt8(ascii: "["):
            var values: [JSONValue] = []
            try readArray { reader throws(TokenizerError) in
                values.append(try reader.readValue())
            }
            return .array(values)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .boolean(true))
        case UInt8(ascii: "f"): return try readWord("false", .boolean(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        default: return try readNumber()
        }
    }

    /// Reads an object, handing each key to `member`, which must read the value.
    mutating func readObject(
        _ member: (String, inout JSONReader) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try readList(open: "{", close: "}") { reader throws(TokenizerError) in
            let key = try reader.readString()
            try reader.expect(UInt8(ascii: ":"))
            try member(key, &reader)
        }
    }

    /// Reads an array, calling `element` to read each value.
    mutating func readArray(
        _ element: (inout JSONReader) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try readList(open: "[", close: "]", element)
    }

    /// Reads the members between two brackets, separated by commas.
    mutating func readList(
        open: Unicode.Scalar, close: Unicode.Scalar,
        _ item: (inout JSONReader) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try expect(UInt8(ascii: open))
        depth += 1
        if depth > Self.maximumDepth { throw error("too deeply nested") }
        if peek() == UInt8(ascii: close) {
            position += 1
        } else {
            repeat { try item(&self) } while try continues(to: UInt8(ascii: close))
        }
        depth -= 1
    }

    /// Takes a comma (true) or the closing bracket (false).
    private mutating func continues(to close: UInt8) throws(TokenizerError) -> Bool {
        let next = peek()
        guard next == UInt8(ascii: ",") || next == close else {
            throw error(next == nil ? "the file ends too early" : "a comma is missing")
        }
        position += 1
        return next != close
    }

    /// Reads a string.
    mutating func readString() throws(TokenizerError) -> String {
        scratch.removeAll(keepingCapacity: true)
        var text = scratch
        try readString(into: &text)
        scratch = text
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a string, appending its UTF-8 to a buffer.
    mutating func readString(into buffer: inout [UInt8]) throws(TokenizerError) {
        try expect(UInt8(ascii: "\""))
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") {
                try readEscape(into: &buffer)
            } else if byte < 0x20 {
                throw error("a control character in a string")
            } else {
                buffer.append(byte)
            }
        }
        throw error("the file ends within a string")
    }

    /// Reads a whole number that fits 64 bits.
    mutating func readInteger() throws(TokenizerError) -> Int {
        let start = position
        guard case .integer(let number) = try readNumber() else {
            position = start
            throw error("not a whole number")
        }
        return number
    }

    /// The next byte that is no white space; nil at the end.
    mutating func peek() -> UInt8? {
        skipSpace()
        return position < bytes.count ? bytes[position] : nil
    }

    /// An error at the current place.
    func error(_ what: String) -> TokenizerError {
        .malformed("\(what) (byte \(position))", in: location)
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    mutating func expect(_ byte: UInt8) throws(TokenizerError) {
        guard let found = peek() else { throw error("the file ends too early") }
        if found != byte { throw error("\"\(Character(Unicode.Scalar(byte)))\" is missing") }
        position += 1
    }

    private mutating func readWord(
        _ word: String, _ value: JSONValue
    ) throws(TokenizerError) -> JSONValue {
        let letters = Array(word.utf8)
        guard bytes[position...].starts(with: letters) else { throw error("not a JSON value") }
        position += letters.count
        return value
    }

    private mutating func readNumber() throws(TokenizerError) -> JSONValue {
        guard peek() != nil else { throw error("the file ends too early") }
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let whole = takeDigits()
        guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
            throw error("not a JSON value")
        }
        let wholeEnd = position
        if take([UInt8(ascii: ".")]), takeDigits() == 0 { throw error("not a JSON number") }
        if take([UInt8(ascii: "e"), UInt8(ascii: "E")]) {
            _ = take([UInt8(ascii: "+"), UInt8(ascii: "-")])
            if takeDigits() == 0 { throw error("not a JSON number") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if position == wholeEnd, let number = Int(text) { return .integer(number) }
        guard let number = Double(text), number.isFinite else {
            throw error("a number out of range")
        }
        return .real(number)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while position < bytes.count, 0x30...0x39 ~= bytes[position] { position += 1 }
        return position - start
    }

    private mutating func take(_ choices: [UInt8]) -> Bool {
        guard position < bytes.count, choices.contains(bytes[position]) else { return false }
        position += 1
        return true
    }

    private mutating func readEscape(into buffer: inout [UInt8]) throws(TokenizerError) {
        guard position < bytes.count else { throw error("the file ends within a string") }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(letter)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            UTF8Scalar.append(try readEscapedScalar(), to: &buffer)
        default: throw error("an unknown escape in a string")
        }
    }

    /// Reads the digits of `\uXXXX`, and of a second such escape where a surrogate needs it.
    private mutating func readEscapedScalar() throws(TokenizerError) -> UInt32 {
        let first = try readHexadecimal()
        guard 0xD800...0xDFFF ~= first else { return first }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw error("half a surrogate pair in a string") }
        position += 2
        let second = try readHexadecimal()
        guard 0xDC00...0xDFFF ~= second else { throw error("half a surrogate pair in a string") }
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private mutating func readHexadecimal() throws(TokenizerError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("the file ends within a string") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("not a hexadecimal escape")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
