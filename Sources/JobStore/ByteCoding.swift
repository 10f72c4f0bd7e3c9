// The compact form of a row's parts: variable-length integers and counted texts. Hand-written,
// because the store encodes tens of thousands of rows a second.

/// Appends values to bytes.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Small magnitudes of either sign stay short (zigzag).
    mutating func write(_ number: Int64) {
        write(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    }

    mutating func write(_ number: Int) { write(Int64(number)) }

    mutating func write(_ text: String) {
        write(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write<Value>(_ value: Value?, _ body: (inout ByteWriter, Value) -> Void) {
        write(UInt64(value == nil ? 0 : 1))
        if let value { body(&self, value) }
    }
}

/// Takes values from bytes that may hold anything.
struct ByteReader {
    /// The bytes end early or hold an impossible value.
    struct Malformed: Error {}

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func unsigned() throws(Malformed) -> UInt64 {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { throw Malformed() }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        throw Malformed()
    }

    mutating func signed() throws(Malformed) -> Int64 {
        let coded = try unsigned()
        return Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1)
    }

    mutating func integer() throws(Malformed) -> Int { Int(try signed()) }

    mutating func small() throws(Malformed) -> UInt32 {
        guard let number = UInt32(exactly: try unsigned()) else { throw Malformed() }
        return number
    }

    mutating func flag() throws(Malformed) -> Bool { try unsigned() != 0 }

    mutating func text() throws(Malformed) -> String {
        let count = try unsigned()
        guard count <= UInt64(rest.count),
            let text = String(validating: rest.prefix(Int(count)), as: UTF8.self)
        else { throw Malformed() }
        rest.removeFirst(Int(count))
        return text
    }

    mutating func optional<Value>(
        _ body: (inout ByteReader) throws(Malformed) -> Value
    ) throws(Malformed) -> Value? {
        try flag() ? try body(&self) : nil
    }

    /// One of a list of alternatives, by its raw value.
    mutating func choice<Value: RawRepresentable>(
        _ type: Value.Type
    ) throws(Malformed) -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try text()) else { throw Malformed() }
        return value
    }
}
