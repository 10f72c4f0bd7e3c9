// The merges of byte-pair encoding, by the ids of the two tokens they join.

/// Finds the merge of two adjacent tokens.
struct MergeTable: Sendable {
    /// A merge: its rank (the lower goes first) and the token it makes.
    struct Merge: Sendable {
        let rank: Int32
        let id: Int32
    }

    /// A slot of the open-addressing table; empty if the rank is negative.
    private struct Slot: Sendable {
        var pair: UInt64
        var rank: Int32
        var id: Int32
    }

    private var slots: [Slot]

    /// Resolves merges against the vocabulary.
    ///
    /// - Parameter pairs: the left and right token of each merge, one after the other, by rank. Of
    ///   a pair listed twice the later rank counts, as in the reference.
    /// - Throws: if a token, or what the merge makes of the two, is not in the vocabulary.
    init(
        pairs: TokenList, vocabulary: Vocabulary, location: String
    ) throws(TokenizerError) {
        var capacity = 16
        while capacity < pairs.count { capacity *= 2 }
        slots = Array(repeating: Slot(pair: 0, rank: -1, id: 0), count: capacity)
        for rank in 0..<pairs.count / 2 {
            let left = pairs.range(2 * rank)
            let right = pairs.range(2 * rank + 1)
            guard let leftID = vocabulary.id(of: pairs.bytes, in: left),
                let rightID = vocabulary.id(of: pairs.bytes, in: right),
                let id = vocabulary.id(
                    of: pairs.bytes, in: left.lowerBound..<right.upperBound)
            else {
                let names = "\"\(pairs.text(2 * rank))\" and \"\(pairs.text(2 * rank + 1))\""
                throw Self.invalid(
                    "merge \(rank + 1) joins \(names), but one of the two or their union "
                        + "is not in the vocabulary", location)
            }
            let pair = Self.pair(leftID, rightID)
            slots[slot(of: pair)] = Slot(pair: pair, rank: Int32(rank), id: id)
        }
    }

    /// The merge of two adjacent tokens; nil if there is none.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> Merge? {
        let slot = slots[slot(of: Self.pair(left, right))]
        return slot.rank < 0 ? nil : Merge(rank: slot.rank, id: slot.id)
    }

    @inline(__always)
    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(of pair: UInt64) -> Int {
        let mask = slots.count - 1
        let hash = pair &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32) & mask
        while slots[slot].rank >= 0, slots[slot].pair != pair { slot = (slot + 1) & mask }
        return slot
    }

    /// An error about the list of merges.
    static func invalid(_ what: String, _ location: String) -> TokenizerError {
        TokenizerError(
            code: .invalidMerges, what: what, location: location,
            remedy: "use the merges and the vocabulary of one and the same model")
    }
}
