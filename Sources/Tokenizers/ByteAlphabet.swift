// The byte-level alphabet of GPT-2: each byte is spelled as one printable character, so that a
// vocabulary of byte sequences can be written as text.
// Source: `bytes_to_unicode` of GPT-2's encoder, `bytes_char` of Hugging Face tokenizers.

/// Maps bytes to the characters that spell them in a vocabulary file, and back.
enum ByteAlphabet {
    /// The scalar that spells each byte.
    static let scalars: [UInt32] = {
        var extra: UInt32 = 0x100
        return (0..<256).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                return UInt32(byte)
            default:
                extra += 1
                return extra - 1
            }
        }
    }()

    /// The byte that each scalar below 0x144 spells; nil for the scalars that spell none.
    private static let bytes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = UInt8(byte) }
        return table
    }()

    /// Appends the bytes that a token spells. A token with a character outside the alphabet
    /// (an added token may have one) stands for its own UTF-8, as in the reference.
    static func appendBytes(spelledBy token: ArraySlice<UInt8>, to output: inout [UInt8]) {
        let start = output.count
        let spelling = Array(token)
        var index = 0
        while index < spelling.count {
            let scalar = UTF8Scalar(in: spelling, at: index)
            guard scalar.value < bytes.count, let byte = bytes[Int(scalar.value)] else {
                output.removeSubrange(start...)
                output.append(contentsOf: token)
                return
            }
            output.append(byte)
            index += scalar.byteCount
        }
    }
}
