// NFC: the rules of Unicode Standard Annex 15, and where the reference's older data shows.

import Testing

@testable import Tokenizers

@Suite struct CanonicalCompositionTests {
    private func normalized(_ scalars: [UInt32]) -> [UInt32] {
        var bytes: [UInt8] = []
        for scalar in scalars { UTF8Scalar.append(scalar, to: &bytes) }
        var composition = CanonicalComposition()
        let result = composition.normalized(bytes, in: bytes.indices) ?? bytes
        return String(decoding: result, as: UTF8.self).unicodeScalars.map(\.value)
    }

    @Test(
        arguments: [
            ([0x65, 0x301], [0xE9]), ([0x61, 0x301, 0x323], [0x1EA1, 0x301]),
            ([0x61, 0x323, 0x301], [0x1EA1, 0x301]), ([0x1E9B, 0x323], [0x1E9B, 0x323]),
            ([0x212B], [0xC5]), ([0x958], [0x915, 0x93C]), ([0x344], [0x308, 0x301]),
            ([0xEA, 0x323], [0x1EC7]), ([0x301], [0x301]), ([0xF900], [0x8C48]),
            ([0x1D15E], [0x1D157, 0x1D165]), ([0x9C7, 0x9BE], [0x9CB]),
            ([0x9C7, 0x301, 0x9BE], [0x9C7, 0x301, 0x9BE]),
        ] as [([UInt32], [UInt32])])
    func composes(_ scalars: [UInt32], _ expected: [UInt32]) {
        #expect(normalized(scalars) == expected)
    }

    @Test(
        arguments: [
            ([0x1100, 0x1161], [0xAC00]), ([0x1100, 0x1161, 0x11A8], [0xAC01]),
            ([0xAC00, 0x11A8], [0xAC01]), ([0xAC01, 0x11A8], [0xAC01, 0x11A8]),
            ([0x1100, 0x1100, 0x1161], [0x1100, 0xAC00]), ([0xAC00, 0x11A7], [0xAC00, 0x11A7]),
            ([0x1161, 0x11A8], [0x1161, 0x11A8]),
        ] as [([UInt32], [UInt32])])
    func composesHangul(_ scalars: [UInt32], _ expected: [UInt32]) {
        #expect(normalized(scalars) == expected)
    }

    /// U+1DF6 (Unicode 10) has a combining class that the reference's data (Unicode 9) lacks.
    @Test func leavesNewerMarksWhereTheyAre() {
        #expect(normalized([0x61, 0x1DF6, 0x323]) == [0x61, 0x1DF6, 0x323])
        #expect(normalized([0x11935, 0x11930]) == [0x11935, 0x11930])
    }

    @Test func sortsLongRunsOfMarks() {
        let marks =
            [UInt32](repeating: 0x301, count: 5000) + [UInt32](repeating: 0x323, count: 5000)
        let result = normalized([0x78] + marks)
        #expect(result.count == 10_001)
        #expect(result[1] == 0x323 && result[5000] == 0x323 && result[5001] == 0x301)
    }

    @Test func isIdempotentOnEveryScalar() {
        for scalar in UInt32(0)..<0x110000 where !(0xD800..<0xE000).contains(scalar) {
            let once = normalized([scalar])
            #expect(normalized(once) == once)
        }
    }
}
