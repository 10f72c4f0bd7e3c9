// Where encoded bytes go: a file that appears whole or not at all, memory, or what a caller brings.

/// Takes the bytes of an encoded image in order, as they are made.
public protocol ByteSink: AnyObject {
    /// Takes the next bytes; they are valid during the call only.
    /// - Throws: any error; the encoder stops and passes it on.
    func write(_ bytes: UnsafeRawBufferPointer) throws
}

/// Gathers the bytes in memory.
public final class MemorySink: ByteSink {
    /// Everything written so far.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public func write(_ bytes: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: bytes)
    }

    /// Forgets the bytes.
    public func clear() {
        bytes = []
    }
}
