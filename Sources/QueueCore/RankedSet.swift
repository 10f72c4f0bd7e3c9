// An ordered set with ranks and running sums: the one container behind every queue and timer here.
//
// Sorted blocks of up to a few hundred entries, and beside them the first key and the sum of each
// block: a search touches the short list of first keys and one block, where a tree of the same
// keys would miss the cache at every level. No randomness, no iteration over hash order.

/// What a `RankedSet` orders by: a time, tag or owner first, then a counter that breaks ties.
struct RankedKey: Hashable, Comparable, Sendable {
    var major: Int64
    var minor: UInt64

    static func < (left: RankedKey, right: RankedKey) -> Bool {
        left.major != right.major ? left.major < right.major : left.minor < right.minor
    }

    init(_ major: Int64, _ minor: UInt64) {
        self.major = major
        self.minor = minor
    }

    init(_ moment: Instant, _ job: JobID) { self.init(moment.microseconds, job.number) }
}

/// Keys in order, each with a weight.
///
/// With n keys in blocks of b, searches take O(log n), insertions and removals O(b) and seldom
/// O(n / b), ranks O(n / b).
struct RankedSet: Sendable {
    private struct Entry: Sendable {
        var key: RankedKey
        var weight: Int64
    }

    private struct Block: Sendable {
        var entries: ContiguousArray<Entry>
        var sum: Int64
    }

    /// A block that grows beyond this is split.
    private static let largestBlock = 256
    /// A block that shrinks below this joins its neighbour, if both fit into one.
    private static let smallestBlock = 64

    /// None of them is empty.
    private var blocks: ContiguousArray<Block> = []
    /// The first key of each block.
    private var heads: ContiguousArray<RankedKey> = []

    /// How many keys there are.
    private(set) var count = 0
    /// The weights of all keys together.
    private(set) var totalWeight: Int64 = 0
    /// Whether there is none.
    var isEmpty: Bool { count == 0 }
    /// The smallest key.
    var first: RankedKey? { heads.first }

    /// The smallest key that is greater than `key`.
    func next(after key: RankedKey) -> RankedKey? {
        guard let block = block(of: key) else { return heads.first }
        let entries = blocks[block].entries
        var place = Self.place(of: key, in: entries)
        if place < entries.count, entries[place].key == key { place += 1 }
        if place < entries.count { return entries[place].key }
        return block + 1 < heads.count ? heads[block + 1] : nil
    }

    /// How many keys are smaller than `key`, and their weights together.
    func rank(of key: RankedKey) -> (count: Int, weight: Int64) {
        var result = (count: 0, weight: Int64(0))
        guard let last = block(of: key) else { return result }
        for block in blocks[..<last] {
            result.count += block.entries.count
            result.weight += block.sum
        }
        let entries = blocks[last].entries
        let place = Self.place(of: key, in: entries)
        result.count += place
        for entry in entries[..<place] { result.weight += entry.weight }
        return result
    }

    /// The key with so many smaller ones.
    func key(at position: Int) -> RankedKey? {
        guard position >= 0 else { return nil }
        var left = position
        for block in blocks {
            if left < block.entries.count { return block.entries[left].key }
            left -= block.entries.count
        }
        return nil
    }

    /// The weight of `key`, or nil where it is absent.
    func weight(of key: RankedKey) -> Int64? {
        guard let block = block(of: key) else { return nil }
        let entries = blocks[block].entries
        let place = Self.place(of: key, in: entries)
        return place < entries.count && entries[place].key == key ? entries[place].weight : nil
    }

    /// Adds `key`, which must be absent.
    mutating func insert(_ key: RankedKey, weight: Int64 = 0) {
        count += 1
        totalWeight += weight
        let entry = Entry(key: key, weight: weight)
        guard !blocks.isEmpty else { return append(Block(entries: [entry], sum: weight)) }
        let block = block(of: key) ?? 0
        let place = Self.place(of: key, in: blocks[block].entries)
        let size = blocks[block].entries.count
        precondition(
            place == size || blocks[block].entries[place].key != key,
            "a ranked set holds a key once")
        // Keys that come in order fill their blocks instead of leaving halves behind.
        if size == Self.largestBlock, place == size, block + 1 == blocks.count {
            return append(Block(entries: [entry], sum: weight))
        }
        blocks[block].entries.insert(entry, at: place)
        blocks[block].sum += weight
        if place == 0 { heads[block] = key }
        if size == Self.largestBlock { split(block) }
    }

    /// Removes `key`; returns whether it was there.
    @discardableResult
    mutating func remove(_ key: RankedKey) -> Bool {
        guard let block = block(of: key) else { return false }
        let place = Self.place(of: key, in: blocks[block].entries)
        guard place < blocks[block].entries.count, blocks[block].entries[place].key == key else {
            return false
        }
        let entry = blocks[block].entries.remove(at: place)
        blocks[block].sum -= entry.weight
        count -= 1
        totalWeight -= entry.weight
        if blocks[block].entries.isEmpty {
            blocks.remove(at: block)
            heads.remove(at: block)
            return true
        }
        if place == 0 { heads[block] = blocks[block].entries[0].key }
        if blocks[block].entries.count < Self.smallestBlock { join(block) }
        return true
    }

    private mutating func append(_ block: Block) {
        heads.append(block.entries[0].key)
        blocks.append(block)
    }

    /// The last block that begins at or before `key`; nil where `key` is before all.
    private func block(of key: RankedKey) -> Int? {
        var (low, high) = (0, heads.count)
        while low < high {
            let middle = (low + high) / 2
            if key < heads[middle] { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? nil : low - 1
    }

    /// How many entries are before `key`.
    private static func place(of key: RankedKey, in entries: ContiguousArray<Entry>) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func split(_ index: Int) {
        let half = blocks[index].entries.count / 2
        let upper = ContiguousArray(blocks[index].entries[half...])
        let sum = upper.reduce(Int64(0)) { $0 + $1.weight }
        blocks[index].entries.removeSubrange(half...)
        blocks[index].sum -= sum
        blocks.insert(Block(entries: upper, sum: sum), at: index + 1)
        heads.insert(upper[0].key, at: index + 1)
    }

    private mutating func join(_ index: Int) {
        guard index + 1 < blocks.count,
            blocks[index].entries.count + blocks[index + 1].entries.count < Self.largestBlock
        else { return }
        let next = blocks.remove(at: index + 1)
        heads.remove(at: index + 1)
        blocks[index].entries.append(contentsOf: next.entries)
        blocks[index].sum += next.sum
    }
}
