// Finds added tokens in text: at each place the longest that starts there, from left to right.
// Source: `AddedVocabulary::find_matches` of Hugging Face tokenizers.

/// A part of a text: an added token, or text between added tokens.
enum TextPart: Equatable {
    case token(Int32)
    case text(Range<Int>)
}

/// Finds a set of added tokens in UTF-8 text.
struct AddedTokenMatcher: Sendable {
    private struct Node: Sendable {
        var tokenID: Int32?
    }

    /// A byte tree of the patterns; node 0 is the root.
    private var nodes = [Node()]
    /// Children by `node << 8 | byte`.
    private var children: [Int: Int] = [:]
    /// For each byte, whether a pattern starts with it.
    private var startsPattern = [Bool](repeating: false, count: 256)
    private var tokens: [Int32: AddedToken] = [:]

    /// Adds a token that is found by `pattern`; false if another token has that pattern.
    mutating func insert(_ token: AddedToken, id: Int32, pattern: [UInt8]) -> Bool {
        guard let first = pattern.first else { return true }
        var node = 0
        for byte in pattern {
            let key = node << 8 | Int(byte)
            if let child = children[key] {
                node = child
            } else {
                nodes.append(Node())
                children[key] = nodes.count - 1
                node = nodes.count - 1
            }
        }
        guard nodes[node].tokenID == nil else { return false }
        nodes[node].tokenID = id
        startsPattern[Int(first)] = true
        tokens[id] = token
        return true
    }

    /// Splits text into the added tokens in it and the text between them.
    ///
    /// - Parameter ignored: tokens that stay text.
    func parts(
        of bytes: [UInt8], in range: Range<Int>, ignored: (AddedToken) -> Bool
    ) -> [TextPart] {
        var parts: [TextPart] = []
        var textStart = range.lowerBound
        var index = range.lowerBound
        while index < range.upperBound {
            guard startsPattern[Int(bytes[index])],
                let (id, matchEnd) = longestMatch(in: bytes, at: index, end: range.upperBound),
                let token = tokens[id]
            else {
                index += 1
                continue
            }
            var (start, end) = (index, matchEnd)
            index = matchEnd
            if ignored(token) { continue }
            if token.isSingleWord, touchesWord(bytes, start..<end, in: range) { continue }
            if token.stripsLeft { start = max(textStart, spaceStart(bytes, start, in: range)) }
            if token.stripsRight { end = spaceEnd(bytes, end, in: range) }
            if textStart < start { parts.append(.text(textStart..<start)) }
            parts.append(.token(id))
            textStart = end
        }
        if textStart < range.upperBound { parts.append(.text(textStart..<range.upperBound)) }
        return parts
    }

    private func longestMatch(in bytes: [UInt8], at start: Int, end: Int) -> (Int32, Int)? {
        var node = 0
        var longest: (Int32, Int)?
        for index in start..<end {
            guard let child = children[node << 8 | Int(bytes[index])] else { break }
            node = child
            if let id = nodes[node].tokenID { longest = (id, index + 1) }
        }
        return longest
    }

    private func touchesWord(
        _ bytes: [UInt8], _ match: Range<Int>, in range: Range<Int>
    ) -> Bool {
        if match.lowerBound > range.lowerBound {
            let before = UTF8Scalar.start(before: match.lowerBound, in: bytes)
            if classes(bytes, before).contains(.word) { return true }
        }
        return match.upperBound < range.upperBound
            && classes(bytes, match.upperBound).contains(.word)
    }

    private func spaceStart(_ bytes: [UInt8], _ index: Int, in range: Range<Int>) -> Int {
        var start = index
        while start > range.lowerBound {
            let before = UTF8Scalar.start(before: start, in: bytes)
            guard classes(bytes, before).contains(.space) else { break }
            start = before
        }
        return start
    }

    private func spaceEnd(_ bytes: [UInt8], _ index: Int, in range: Range<Int>) -> Int {
        var end = index
        while end < range.upperBound, classes(bytes, end).contains(.space) {
            end += UTF8Scalar(in: bytes, at: end).byteCount
        }
        return end
    }

    private func classes(_ bytes: [UInt8], _ index: Int) -> CharacterClasses {
        .of(UTF8Scalar(in: bytes, at: index).value)
    }
}
