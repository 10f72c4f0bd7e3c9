// The model's own tokens and their ids: a hash table over one byte buffer, and an order by id.

/// Tokens as the vocabulary file spells them, found by spelling or by id.
struct Vocabulary: Sendable {
    /// The tokens in the order of the file.
    private let tokens: TokenList
    /// The id of each token of `tokens`.
    private let ids: [Int32]
    /// Open addressing: index into `tokens` plus one, or 0 for an empty slot.
    private var slots: [Int32]
    /// Indices into `tokens` by rising id.
    private var order: [Int32]

    /// The number of tokens.
    var count: Int { ids.count }

    /// The largest id; nil for an empty vocabulary.
    var largestID: Int32? { order.last.map { ids[Int($0)] } }

    /// Builds the table.
    ///
    /// - Throws: if a token or an id occurs twice.
    init(tokens: TokenList, ids: [Int32], location: String) throws(TokenizerError) {
        self.tokens = tokens
        self.ids = ids
        order = (0..<Int32(ids.count)).sorted { ids[Int($0)] < ids[Int($1)] }
        var capacity = 16
        while capacity < ids.count * 2 { capacity *= 2 }
        slots = Array(repeating: 0, count: capacity)
        for index in 0..<ids.count {
            let slot = slot(of: tokens.bytes, in: tokens.range(index))
            guard slots[slot] == 0 else {
                throw Self.invalid("the token \"\(tokens.text(index))\" occurs twice", location)
            }
            slots[slot] = Int32(index + 1)
        }
        for (lower, upper) in zip(order, order.dropFirst())
        where ids[Int(lower)] == ids[Int(upper)] {
            let names = "\"\(tokens.text(Int(lower)))\" and \"\(tokens.text(Int(upper)))\""
            throw Self.invalid("\(names) share the id \(ids[Int(lower)])", location)
        }
    }

    /// Reads a JSON object from tokens to ids.
    init(reading reader: inout JSONReader, location: String) throws(TokenizerError) {
        var tokens = TokenList()
        var ids: [Int32] = []
        try reader.readList(open: "{", close: "}") { reader throws(TokenizerError) in
            try tokens.append { bytes throws(TokenizerError) in
                try reader.readString(into: &bytes)
            }
            try reader.expect(UInt8(ascii: ":"))
            let id = try reader.readInteger()
            guard let id = Int32(exactly: id), id >= 0 else {
                let token = tokens.text(tokens.count - 1)
                throw Self.invalid("the token \"\(token)\" has the id \(id)", location)
            }
            ids.append(id)
        }
        try self.init(tokens: tokens, ids: ids, location: location)
    }

    /// The id of the token that is spelled by part of a buffer; nil if there is none.
    func id(of buffer: [UInt8], in range: Range<Int>) -> Int32? {
        let entry = slots[slot(of: buffer, in: range)]
        return entry == 0 ? nil : ids[Int(entry) - 1]
    }

    /// The id of a token by its spelling; nil if there is none.
    func id(of token: [UInt8]) -> Int32? { id(of: token, in: token.indices) }

    /// The spelling of the token with an id; nil if there is none.
    func token(id: Int32) -> ArraySlice<UInt8>? {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if ids[Int(order[middle])] < id { low = middle + 1 } else { high = middle }
        }
        guard low < order.count, ids[Int(order[low])] == id else { return nil }
        return tokens[Int(order[low])]
    }

    /// The slot that holds the string, or the empty slot where it would go.
    private func slot(of buffer: [UInt8], in range: Range<Int>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(buffer[index])) &* 0x100_0000_01B3 }
        hash ^= hash >> 32
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0, !holds(Int(slots[slot]) - 1, buffer, range) {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func holds(_ index: Int, _ buffer: [UInt8], _ range: Range<Int>) -> Bool {
        let own = tokens.range(index)
        guard own.count == range.count else { return false }
        for offset in 0..<own.count
        where tokens.bytes[own.lowerBound + offset] != buffer[range.lowerBound + offset] {
            return false
        }
        return true
    }

    private static func invalid(_ what: String, _ location: String) -> TokenizerError {
        TokenizerError(
            code: .invalidVocabulary, what: what, location: location,
            remedy: "give each token one id of its own from 0 up to \(Int32.max)")
    }
}
