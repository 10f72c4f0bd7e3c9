// The hand-written pattern, alternative by alternative.

import Testing

@testable import Tokenizers

@Suite struct QwenPreTokenizerTests {
    private func pieces(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        var splitter = QwenPreTokenizer(bytes, in: bytes.indices)
        var pieces: [String] = []
        while let range = splitter.next() {
            pieces.append(String(decoding: bytes[range], as: UTF8.self))
        }
        return pieces
    }

    @Test(arguments: [
        ("it's", ["it", "'s"]), ("IT'S", ["IT", "'S"]), ("we'Re", ["we", "'Re"]),
        ("'\u{17F}x", ["'\u{17F}", "x"]), ("'\u{212A}", ["'\u{212A}"]), ("'sup", ["'s", "up"]),
        ("'r", ["'r"]), ("'ll'll", ["'ll", "'ll"]), ("'l!", ["'l", "!"]), ("''s", ["''", "s"]),
        (" 's", [" '", "s"]), ("'", ["'"]),
    ])
    func contractions(_ text: String, _ expected: [String]) {
        #expect(pieces(text) == expected)
    }

    @Test(arguments: [
        ("ab cd", ["ab", " cd"]), ("ab\tcd", ["ab", "\tcd"]), ("ab\ncd", ["ab", "\n", "cd"]),
        ("-ab", ["-ab"]), ("--ab", ["--", "ab"]), ("\u{301}ab", ["\u{301}ab"]),
        ("a1b", ["a", "1", "b"]), ("12 3", ["1", "2", " ", "3"]), ("½Ⅻ", ["½", "Ⅻ"]),
    ])
    func lettersAndNumbers(_ text: String, _ expected: [String]) {
        #expect(pieces(text) == expected)
    }

    @Test(arguments: [
        (" !?\n\nx", [" !?\n\n", "x"]), ("!\r\n \n", ["!\r\n", " \n"]), ("  !", [" ", " !"]),
        ("\t!", ["\t", "!"]), ("\u{A0}!", ["\u{A0}", "!"]), ("😀 😀", ["😀", " 😀"]),
        ("\0\0", ["\0\0"]),
    ])
    func otherCharacters(_ text: String, _ expected: [String]) {
        #expect(pieces(text) == expected)
    }

    @Test(arguments: [
        ("   x", ["  ", " x"]), ("   1", ["  ", " ", "1"]), ("x   ", ["x", "   "]),
        (" \n \n  x", [" \n \n", " ", " x"]), ("\n\n", ["\n\n"]), (" \r", [" \r"]),
        ("\u{3000}\u{3000}x", ["\u{3000}", "\u{3000}x"]), ("\u{85}\u{2028}", ["\u{85}\u{2028}"]),
        ("\u{180E}x", ["\u{180E}x"]), ("\u{200B} x", ["\u{200B}", " x"]),
    ])
    func whiteSpace(_ text: String, _ expected: [String]) {
        #expect(pieces(text) == expected)
    }

    @Test func everyScalarFallsIntoOneClass() {
        var counts = [0, 0, 0]
        for scalar in UInt32(0)..<0x110000 {
            let kind = CharacterClasses.of(scalar)
            let classes = [CharacterClasses.letter, .number, .space].map { kind.contains($0) }
            #expect(classes.filter { $0 }.count <= 1)
            for (index, isMember) in classes.enumerated() where isMember { counts[index] += 1 }
        }
        // What the reference's pattern engine counts (Unicode 16).
        #expect(counts == [141_028, 1_911, 25])
    }
}
