// Added tokens in text: the longest first, and the flags for words and white space.

import Testing

@testable import Tokenizers

@Suite struct AddedTokenMatcherTests {
    private func parts(
        _ text: String, _ tokens: [AddedToken], ignoring: String? = nil
    ) -> [String] {
        var matcher = AddedTokenMatcher()
        for (id, token) in tokens.enumerated() {
            let isNew = matcher.insert(token, id: Int32(id), pattern: token.content)
            #expect(isNew)
        }
        let bytes = Array(text.utf8)
        return matcher.parts(of: bytes, in: bytes.indices, ignored: { $0.text == ignoring }).map {
            switch $0 {
            case .token(let id): "#\(id)"
            case .text(let range): String(decoding: bytes[range], as: UTF8.self)
            }
        }
    }

    private func token(_ text: String) -> AddedToken { AddedToken(content: Array(text.utf8)) }

    @Test func takesTheLongest() {
        let tokens = [token("<a"), token("<a>"), token("<a><b>")]
        #expect(parts("x<a><b>y<a>z<a", tokens) == ["x", "#2", "y", "#1", "z", "#0"])
        #expect(parts("<<a>", tokens) == ["<", "#1"])
        #expect(parts("", tokens) == [])
    }

    @Test func singleWordsTouchNoWord() {
        var word = token("end")
        word.isSingleWord = true
        #expect(parts("end", [word]) == ["#0"])
        #expect(parts("an end.", [word]) == ["an ", "#0", "."])
        #expect(parts("bend end_ ends", [word]) == ["bend end_ ends"])
        #expect(parts("é" + "end", [word]) == ["éend"])
        #expect(parts("€end", [word]) == ["€", "#0"])
    }

    @Test func stripsWhiteSpace() {
        var left = token("<l>")
        left.stripsLeft = true
        var right = token("<r>")
        right.stripsRight = true
        #expect(parts("a \t<l> b", [left]) == ["a", "#0", " b"])
        #expect(parts("a <r>\u{3000}\n b", [right]) == ["a ", "#0", "b"])
        #expect(parts("<r>  <l>", [left, right]) == ["#1", "#0"])
    }

    @Test func ignoredTokensAreText() {
        #expect(
            parts("a<x>b<y>", [token("<x>"), token("<y>")], ignoring: "<x>") == ["a<x>b", "#1"])
    }

    @Test func refusesASecondTokenOfOnePattern() {
        var matcher = AddedTokenMatcher()
        let first = matcher.insert(token("x"), id: 0, pattern: [1, 2])
        let second = matcher.insert(token("y"), id: 1, pattern: [1, 2])
        #expect(first && !second)
    }
}
