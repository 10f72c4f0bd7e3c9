// The heap of the merger against the definition of byte-pair encoding, carried out naively.

import Testing

@testable import Tokenizers

@Suite struct BytePairMergerTests {
    /// Random merges over the letters a to d, so that most pairs merge and ranks cross.
    private struct RandomMerges {
        var tokens = ["a", "b", "c", "d"]
        var pairs: [(String, String)] = []

        init(count: Int, seed: UInt64) {
            var source = SplitMix(state: seed)
            var known: Set<String> = []
            while pairs.count < count {
                let left = tokens[Int(source.next() % UInt64(tokens.count))]
                let right = tokens[Int(source.next() % UInt64(tokens.count))]
                guard left.count + right.count <= 9, known.insert("\(left) \(right)").inserted
                else { continue }
                pairs.append((left, right))
                if !tokens.contains(left + right) { tokens.append(left + right) }
            }
        }

        func merger() throws -> BytePairMerger {
            var list = TokenList()
            for token in tokens { list.append(token.utf8) }
            let vocabulary = try Vocabulary(
                tokens: list, ids: tokens.indices.map(Int32.init), location: "test")
            var merges = TokenList()
            for (left, right) in pairs {
                merges.append(left.utf8)
                merges.append(right.utf8)
            }
            let table = try MergeTable(pairs: merges, vocabulary: vocabulary, location: "test")
            var byteIDs = [Int32](repeating: -1, count: 256)
            for id in 0..<4 { byteIDs[0x61 + id] = Int32(id) }
            return BytePairMerger(merges: table, byteIDs: byteIDs)
        }

        func encodeNaively(_ text: String) -> [Int32] {
            let ranks = Dictionary(
                uniqueKeysWithValues: pairs.enumerated().map { ("\($1.0) \($1.1)", $0) })
            var pieces = text.map(String.init)
            while true {
                let candidates = pieces.indices.dropLast().compactMap { place in
                    ranks["\(pieces[place]) \(pieces[place + 1])"].map { ($0, place) }
                }
                guard let (_, place) = candidates.min(by: <) else { break }
                pieces[place] += pieces.remove(at: place + 1)
            }
            return pieces.compactMap { piece in tokens.firstIndex(of: piece).map(Int32.init) }
        }
    }

    /// The SplitMix64 generator.
    private struct SplitMix {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    @Test(arguments: 1...20)
    func agreesWithNaiveMerging(_ seed: Int) throws {
        let merges = RandomMerges(count: 40, seed: UInt64(seed))
        var merger = try merges.merger()
        var source = SplitMix(state: UInt64(seed) << 32)
        for length in [0, 1, 2, 3, 5, 8, 13, 40, 400] {
            let text = String(
                decoding: (0..<length).map { _ in UInt8(0x61 + source.next() % 4) }, as: UTF8.self)
            var ids: [Int32] = []
            let bytes = Array(text.utf8)
            merger.encode(bytes, in: bytes.indices, into: &ids)
            #expect(ids == merges.encodeNaively(text), "\(text)")
        }
    }

    @Test(arguments: ["a", "ab", "abcd", "aab"])
    func agreesWithNaiveMergingOnRepetition(_ unit: String) throws {
        let merges = RandomMerges(count: 60, seed: 99)
        var merger = try merges.merger()
        let text = String(repeating: unit, count: 1500 / unit.count)
        var ids: [Int32] = []
        merger.encode(Array(text.utf8), in: 0..<text.utf8.count, into: &ids)
        #expect(ids == merges.encodeNaively(text))
    }

    @Test func encodesOnlyTheRange() throws {
        var merger = try RandomMerges(count: 4, seed: 5).merger()
        var ids: [Int32] = []
        merger.encode(Array("abcd".utf8), in: 2..<3, into: &ids)
        #expect(ids == [2])
    }
}
