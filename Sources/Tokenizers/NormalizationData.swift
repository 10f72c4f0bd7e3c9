// The data of canonical composition, unpacked from the generated tables. It is the Unicode 9 data
// of the reference's normalizer, not the newer data of the Swift library: later combining marks
// must stay where they are for the ids to be equal.

/// Decompositions, compositions and combining classes.
struct NormalizationData: Sendable {
    static let shared = NormalizationData()

    /// One step of canonical decomposition: one scalar, or two (the second is 0 if there is none).
    let decompositions: [UInt32: (first: UInt32, second: UInt32)]
    /// The scalar that two scalars compose to, by `pair`.
    let compositions: [UInt64: UInt32]
    /// Combining classes other than 0.
    let combiningClasses: [UInt32: UInt8]
    /// Starters that NFC may change: they decompose for good, or join with what stands before.
    let unstableStarters: [UInt32]

    /// The key of `compositions`.
    static func pair(_ first: UInt32, _ second: UInt32) -> UInt64 {
        UInt64(first) << 32 | UInt64(second)
    }

    private init() {
        var decompositions: [UInt32: (first: UInt32, second: UInt32)] = [:]
        var compositions: [UInt64: UInt32] = [:]
        var unstable: [UInt32] = []
        var scalar: UInt32 = 0
        let singletons = CompactTable.numbers(NormalizationTables.singletons)
        for index in stride(from: 0, to: singletons.count - 1, by: 2) {
            scalar += singletons[index]
            decompositions[scalar] = (singletons[index + 1], 0)
            unstable.append(scalar)
        }
        let excluded = Set(
            CompactTable.runs(CompactTable.numbers(NormalizationTables.exclusions)[...]).joined())
        scalar = 0
        let pairs = CompactTable.numbers(NormalizationTables.pairs)
        for index in stride(from: 0, to: pairs.count - 2, by: 3) {
            scalar += pairs[index]
            let (first, second) = (pairs[index + 1], pairs[index + 2])
            decompositions[scalar] = (first, second)
            if excluded.contains(scalar) {
                unstable.append(scalar)
            } else {
                compositions[Self.pair(first, second)] = scalar
                unstable.append(second)
            }
        }
        unstable.append(contentsOf: HangulSyllable.vowels)
        unstable.append(contentsOf: HangulSyllable.trailing)
        self.decompositions = decompositions
        self.compositions = compositions
        unstableStarters = unstable
        combiningClasses = Self.readMarks()
    }

    private static func readMarks() -> [UInt32: UInt8] {
        var classes: [UInt32: UInt8] = [:]
        let marks = CompactTable.numbers(NormalizationTables.marks)
        var index = 0
        while index + 1 < marks.count {
            let end = index + 2 + 2 * Int(marks[index + 1])
            for run in CompactTable.runs(marks[(index + 2)..<end]) {
                for scalar in run { classes[scalar] = UInt8(marks[index]) }
            }
            index = end
        }
        return classes
    }
}

/// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12).
enum HangulSyllable {
    static let base: UInt32 = 0xAC00
    static let count: UInt32 = 11_172
    static let leading: Range<UInt32> = 0x1100..<0x1113
    static let vowels: Range<UInt32> = 0x1161..<0x1176
    /// Trailing consonants; the formula counts "none" as the one before the first.
    static let trailing: Range<UInt32> = 0x11A8..<0x11C3
    private static let trailingCount: UInt32 = 28

    /// The syllable, or the syllable with one more consonant, of two scalars; nil if none.
    static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leading.contains(first), vowels.contains(second) {
            let vowel = second - vowels.lowerBound
            return base + ((first - leading.lowerBound) * 21 + vowel) * trailingCount
        }
        guard trailing.contains(second), first >= base, first < base + count,
            (first - base) % trailingCount == 0
        else { return nil }
        return first + second - trailing.lowerBound + 1
    }
}
