// Learns the merges of byte-level byte-pair encoding from text: always the pair of neighbours that
// occurs most often next; of equals the pair of smaller ids (the left one's first).
//
// The same choice as `BpeTrainer` of Hugging Face tokenizers with the byte-level alphabet, so that
// both learn the same vocabulary from the same text.

/// Counts the pieces of a text and trains a vocabulary on them.
public struct BytePairTrainer: Sendable {
    /// How often each piece occurs.
    private var pieces: [[UInt8]: Int] = [:]

    public init() {}

    /// The number of different pieces seen.
    public var pieceCount: Int { pieces.count }

    /// Takes a text: normalized to NFC and split as the tokenizer will do it.
    /// - Parameter count: how often it counts.
    public mutating func add(_ text: String, count: Int = 1) {
        precondition(count >= 0)
        let raw = Array(text.utf8)
        var composition = CanonicalComposition()
        let bytes = composition.normalized(raw, in: raw.indices) ?? raw
        var splitter = QwenPreTokenizer(bytes, in: bytes.indices)
        while let piece = splitter.next() { pieces[Array(bytes[piece]), default: 0] += count }
    }

    /// Trains a vocabulary: 256 bytes, then what merges make, then the special tokens.
    ///
    /// It is smaller than asked for where the text has no further pair that occurs
    /// `minimumCount` times.
    /// - Parameters:
    ///   - vocabularySize: the number of ids, special tokens included.
    ///   - minimumCount: how often a pair must occur to be merged.
    /// - Throws: `TokenizerError` for a size too small or too large, or without text.
    public func train(
        vocabularySize: Int, minimumCount: Int = 2
    ) throws(TokenizerError) -> TrainedVocabulary {
        let smallest = 256 + TrainedVocabulary.specialTokens.count
        guard (smallest...Self.largestSize).contains(vocabularySize) else {
            throw TokenizerError(
                code: .invalidVocabulary, what: "a size of \(vocabularySize) is out of range",
                location: "vocabulary",
                remedy: "ask for \(smallest) to \(Self.largestSize) tokens")
        }
        guard !pieces.isEmpty else {
            throw TokenizerError(
                code: .invalidVocabulary, what: "there is no text to learn from",
                location: "vocabulary", remedy: "add captions")
        }
        var run = TrainingRun(pieces: pieces)
        let limit = vocabularySize - TrainedVocabulary.specialTokens.count
        run.merge(upTo: limit, minimumCount: max(minimumCount, 1))
        return TrainedVocabulary(tokens: run.tokens, merges: run.merges)
    }

    private static let largestSize = 1 << 20
}

/// The state of a training: pieces as lists of tokens, and the counts of their pairs.
private struct TrainingRun {
    /// The bytes of each token.
    private(set) var tokens: [[UInt8]]
    /// The pairs of tokens that were merged, in order.
    private(set) var merges: [TrainedVocabulary.Merge] = []

    private var idOfToken: [[UInt8]: Int32] = [:]
    private var words: [[Int32]] = []
    private var wordCounts: [Int] = []
    private var pairCounts: [UInt64: Int] = [:]
    /// Words in which a pair occurs, or did once.
    private var wordsOfPair: [UInt64: Set<Int>] = [:]
    private var queue = PairQueue()

    init(pieces: [[UInt8]: Int]) {
        // Ids of single bytes follow the characters that spell them, as the reference sorts them.
        let order = (0..<256).sorted { ByteAlphabet.scalars[$0] < ByteAlphabet.scalars[$1] }
        tokens = order.map { [UInt8($0)] }
        var byteIDs = [Int32](repeating: 0, count: 256)
        for (id, byte) in order.enumerated() { byteIDs[byte] = Int32(id) }
        for (id, token) in tokens.enumerated() { idOfToken[token] = Int32(id) }
        let sorted = pieces.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (piece, count) in sorted where piece.count > 1 && count > 0 {
            words.append(piece.map { byteIDs[Int($0)] })
            wordCounts.append(count)
        }
        for index in words.indices { count(word: index, sign: 1) }
        for (pair, count) in pairCounts { queue.push(count: count, pair: pair) }
    }

    /// Merges until there are `limit` tokens or no pair is left that occurs often enough.
    mutating func merge(upTo limit: Int, minimumCount: Int) {
        while tokens.count < limit, let top = queue.pop() {
            guard top.count == pairCounts[top.pair] else { continue }
            if top.count < minimumCount { return }
            apply(top.pair)
        }
    }

    private mutating func apply(_ pair: UInt64) {
        let (left, right) = (Int32(pair >> 32), Int32(pair & 0xFFFF_FFFF))
        let token = tokens[Int(left)] + tokens[Int(right)]
        let id = idOfToken[token] ?? Int32(tokens.count)
        if Int(id) == tokens.count {
            tokens.append(token)
            idOfToken[token] = id
        }
        merges.append(.init(left: left, right: right))
        var changed: Set<UInt64> = []
        for index in wordsOfPair.removeValue(forKey: pair) ?? [] {
            let before = words[index]
            let after = Self.merged(before, left, right, id)
            guard after.count < before.count else { continue }
            changed.formUnion(pairs(of: before))
            count(word: index, sign: -1)
            words[index] = after
            count(word: index, sign: 1)
            changed.formUnion(pairs(of: after))
        }
        for pair in changed {
            if let count = pairCounts[pair], count > 0 {
                queue.push(count: count, pair: pair)
            } else {
                pairCounts[pair] = nil
                wordsOfPair[pair] = nil
            }
        }
    }

    /// A word with every occurrence of a pair replaced, from the left.
    private static func merged(
        _ word: [Int32], _ left: Int32, _ right: Int32, _ id: Int32
    ) -> [Int32] {
        var output: [Int32] = []
        var place = 0
        while place < word.count {
            if place + 1 < word.count, word[place] == left, word[place + 1] == right {
                output.append(id)
                place += 2
            } else {
                output.append(word[place])
                place += 1
            }
        }
        return output
    }

    private func pairs(of word: [Int32]) -> [UInt64] {
        zip(word, word.dropFirst()).map { UInt64($0) << 32 | UInt64($1) }
    }

    private mutating func count(word index: Int, sign: Int) {
        for pair in pairs(of: words[index]) {
            pairCounts[pair, default: 0] += sign * wordCounts[index]
            if sign > 0 { wordsOfPair[pair, default: []].insert(index) }
        }
    }
}

/// A heap of pairs: the most frequent on top, of equals the one of smaller ids.
private struct PairQueue {
    struct Entry {
        let count: Int
        let pair: UInt64

        func precedes(_ other: Entry) -> Bool {
            count != other.count ? count > other.count : pair < other.pair
        }
    }

    private var heap: [Entry] = []

    mutating func push(count: Int, pair: UInt64) {
        heap.append(Entry(count: count, pair: pair))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Entry? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return top }
        heap[0] = last
        var parent = 0
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].precedes(heap[first]) { first = child }
            }
            if first == parent { return top }
            heap.swapAt(parent, first)
            parent = first
        }
    }
}
