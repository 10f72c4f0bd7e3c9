// One byte of flags for every Unicode scalar, from the generated tables: what the pre-tokenizer,
// the normalizer and the token matcher ask of a character.

/// What kind of character a Unicode scalar is, in the reference's eyes.
struct CharacterClasses: OptionSet {
    let rawValue: UInt8

    /// `\p{L}`.
    static let letter = CharacterClasses(rawValue: 1)
    /// `\p{N}`.
    static let number = CharacterClasses(rawValue: 2)
    /// `\s`.
    static let space = CharacterClasses(rawValue: 4)
    /// `[\r\n]`.
    static let newline = CharacterClasses(rawValue: 8)
    /// `\w`.
    static let word = CharacterClasses(rawValue: 16)
    /// May change, or change its neighbours, when text is normalized to NFC.
    static let unstable = CharacterClasses(rawValue: 32)
    /// Has a canonical decomposition (Hangul syllables, which follow a formula, aside).
    static let decomposable = CharacterClasses(rawValue: 64)
    /// Has a combining class other than 0.
    static let mark = CharacterClasses(rawValue: 128)

    /// The classes of a scalar.
    @inline(__always)
    static func of(_ scalar: UInt32) -> CharacterClasses {
        CharacterClasses(rawValue: table[Int(scalar)])
    }

    private static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 0x110000)
        func add(_ flag: CharacterClasses, _ scalars: some Sequence<UInt32>) {
            for scalar in scalars { table[Int(scalar)] |= flag.rawValue }
        }
        for (flag, text) in [
            (letter, CharacterTables.letters), (number, CharacterTables.numbers),
            (space, CharacterTables.spaces), (word, CharacterTables.words),
        ] {
            for run in CompactTable.runs(CompactTable.numbers(text)[...]) { add(flag, run) }
        }
        add(newline, [0x0A, 0x0D])
        let normalization = NormalizationData.shared
        add(decomposable, normalization.decompositions.keys)
        add(mark, normalization.combiningClasses.keys)
        add(unstable, normalization.combiningClasses.keys)
        add(unstable, normalization.unstableStarters)
        return table
    }()
}

/// Reads the generated tables: numbers in base 36, separated by white space.
enum CompactTable {
    static func numbers(_ text: String) -> [UInt32] {
        var numbers: [UInt32] = []
        var number: UInt32 = 0
        var digits = 0
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39:
                number = number * 36 + UInt32(byte - 0x30)
                digits += 1
            case 0x61...0x7A:
                number = number * 36 + UInt32(byte - 0x61 + 10)
                digits += 1
            default:
                if digits > 0 { numbers.append(number) }
                number = 0
                digits = 0
            }
        }
        if digits > 0 { numbers.append(number) }
        return numbers
    }

    /// Runs of scalars from pairs of gap and length.
    static func runs(_ numbers: ArraySlice<UInt32>) -> [Range<UInt32>] {
        var runs: [Range<UInt32>] = []
        var end: UInt32 = 0
        for index in stride(from: numbers.startIndex, to: numbers.endIndex - 1, by: 2) {
            let start = end + numbers[index]
            end = start + numbers[index + 1]
            runs.append(start..<end)
        }
        return runs
    }
}
