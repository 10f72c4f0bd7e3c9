// Byte-pair encoding of one piece of text: always the pair of lowest rank next, the leftmost of
// equals, found with a heap over a linked list so that a long piece takes n log n steps.
// Source: `Word::merge_all` of Hugging Face tokenizers.

/// Merges the bytes of pieces into tokens. Holds buffers that are used again for the next piece.
struct BytePairMerger {
    private let merges: MergeTable
    private let byteIDs: [Int32]
    /// The token at each place, or `removed` once it is part of the token to its left.
    private var symbols: [Int32] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []
    /// A binary min-heap of candidate merges: rank in the high half, place in the low half.
    private var heap: [UInt64] = []

    private static let removed: Int32 = -1

    /// - Parameter byteIDs: the token of each single byte, negative where the vocabulary has none;
    ///   such a byte is left out, as in the reference.
    init(merges: MergeTable, byteIDs: [Int32]) {
        self.merges = merges
        self.byteIDs = byteIDs
    }

    /// Appends the ids of the piece of `bytes` in `range`.
    mutating func encode(_ bytes: [UInt8], in range: Range<Int>, into ids: inout [Int32]) {
        symbols.removeAll(keepingCapacity: true)
        for index in range {
            let id = byteIDs[Int(bytes[index])]
            if id >= 0 { symbols.append(id) }
        }
        if symbols.count > 1 { mergeAll() }
        for id in symbols where id != Self.removed { ids.append(id) }
    }

    private mutating func mergeAll() {
        let count = symbols.count
        previous.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        heap.removeAll(keepingCapacity: true)
        for place in 0..<Int32(count) {
            previous.append(place - 1)
            next.append(place + 1)
        }
        for place in 0..<count - 1 { addCandidate(at: place) }
        while let candidate = popLowest() {
            let place = Int(candidate & 0xFFFF_FFFF)
            // A candidate is out of date once either of its tokens has changed: what stands there
            // now has another rank, or none.
            let right = Int(next[place])
            guard symbols[place] != Self.removed, right < count,
                let merge = merges.merge(symbols[place], symbols[right]),
                UInt64(merge.rank) == candidate >> 32
            else { continue }
            symbols[place] = merge.id
            symbols[right] = Self.removed
            next[place] = next[right]
            if Int(next[place]) < count {
                previous[Int(next[place])] = Int32(place)
                addCandidate(at: place)
            }
            if previous[place] >= 0 { addCandidate(at: Int(previous[place])) }
        }
    }

    @inline(__always)
    private mutating func addCandidate(at place: Int) {
        guard let merge = merges.merge(symbols[place], symbols[Int(next[place])]) else { return }
        var hole = heap.count
        let entry = UInt64(merge.rank) << 32 | UInt64(place)
        heap.append(entry)
        while hole > 0, heap[(hole - 1) / 2] > entry {
            heap[hole] = heap[(hole - 1) / 2]
            hole = (hole - 1) / 2
        }
        heap[hole] = entry
    }

    private mutating func popLowest() -> UInt64? {
        guard let last = heap.popLast() else { return nil }
        guard let lowest = heap.first else { return last }
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= last { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = last
        return lowest
    }
}
