// A list of byte strings in one buffer: 150,000 separate arrays would take most of the time that
// loading takes.

/// Byte strings stored back to back.
struct TokenList: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// The number of strings.
    var count: Int { ends.count }

    /// The bytes of a string within `bytes`.
    func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    /// A string.
    subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

    /// Adds the string that `write` appends to the buffer.
    mutating func append(
        _ write: (inout [UInt8]) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try write(&bytes)
        ends.append(bytes.count)
    }

    /// Adds a string.
    mutating func append(_ string: some Sequence<UInt8>) {
        bytes.append(contentsOf: string)
        ends.append(bytes.count)
    }

    /// A string as text, for messages.
    func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
}
