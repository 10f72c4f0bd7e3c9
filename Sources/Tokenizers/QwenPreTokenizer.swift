// Splits text into the pieces that byte-pair encoding never crosses: the pattern of the Qwen2
// tokenizer, written out by hand. Tried at each place in this order, first match wins:
//
//   (?i:'s|'t|'re|'ve|'m|'ll|'d)      an English contraction, in any case ("ſ" counts as s)
//   [^\r\n\p{L}\p{N}]?\p{L}+          letters, with one character before that is neither
//   \p{N}                             one number
//    ?[^\s\p{L}\p{N}]+[\r\n]*         other characters, a space before, line ends after
//   \s*[\r\n]+                        white space up to the last line end of the run
//   \s+(?!\S)                         white space, less the last one if text follows
//   \s+                               white space
//
// Every character matches one of them, so the pieces cover the text.

/// Iterates over the pieces of valid UTF-8 text, from front to back.
struct QwenPreTokenizer: IteratorProtocol {
    /// The pattern as tokenizer files spell it.
    static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"#
        + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next piece; nil at the end.
    mutating func next() -> Range<Int>? {
        guard position < end else { return nil }
        let start = position
        position = pieceEnd(from: start)
        return start..<position
    }

    private func pieceEnd(from start: Int) -> Int {
        if bytes[start] == UInt8(ascii: "'"), let end = contractionEnd(from: start) { return end }
        let (kind, second) = character(at: start)
        if kind.contains(.letter) { return lettersEnd(from: second) }
        if kind.contains(.number) { return second }
        if !kind.contains(.newline), second < end {
            let (following, third) = character(at: second)
            if following.contains(.letter) { return lettersEnd(from: third) }
            if bytes[start] == UInt8(ascii: " "), following.isDisjoint(with: Self.notOther) {
                return othersEnd(from: third)
            }
        }
        if kind.contains(.space) { return spaceEnd(from: start) }
        return othersEnd(from: second)
    }

    private static let notOther: CharacterClasses = [.letter, .number, .space]

    /// The classes of the character at `index`, and the index after it.
    @inline(__always)
    private func character(at index: Int) -> (CharacterClasses, Int) {
        let scalar = UTF8Scalar(in: bytes, at: index)
        return (CharacterClasses.of(scalar.value), index + scalar.byteCount)
    }

    /// The end of a contraction whose apostrophe stands at `start`; nil if there is none.
    private func contractionEnd(from start: Int) -> Int? {
        func letter(_ offset: Int) -> UInt8 {
            start + offset < end ? bytes[start + offset] | 0x20 : 0
        }
        // "ſ" (U+017F) folds to s.
        if start + 2 < end, bytes[start + 1] == 0xC5, bytes[start + 2] == 0xBF { return start + 3 }
        switch (letter(1), letter(2)) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _),
            (UInt8(ascii: "d"), _):
            return start + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default:
            return nil
        }
    }

    private func lettersEnd(from start: Int) -> Int {
        var index = start
        while index < end {
            let (kind, following) = character(at: index)
            guard kind.contains(.letter) else { break }
            index = following
        }
        return index
    }

    /// The end of a run of characters that are neither space, letter nor number, and of the line
    /// ends after it.
    private func othersEnd(from start: Int) -> Int {
        var index = start
        while index < end {
            let (kind, following) = character(at: index)
            guard kind.isDisjoint(with: Self.notOther) else { break }
            index = following
        }
        while index < end, bytes[index] == 0x0A || bytes[index] == 0x0D { index += 1 }
        return index
    }

    private func spaceEnd(from start: Int) -> Int {
        var index = start
        var last = start
        var lineEnd: Int?
        while index < end {
            let (kind, following) = character(at: index)
            guard kind.contains(.space) else { break }
            last = index
            index = following
            if kind.contains(.newline) { lineEnd = index }
        }
        if let lineEnd { return lineEnd }
        return index == end || last == start ? index : last
    }
}
