// What one turn of the loop wants on disk.

import QueueCore

/// A finished image of a job that is still at work.
public struct StoredImage: Equatable, Sendable {
    /// The job.
    public var job: JobID
    /// Which of its images.
    public var index: UInt32
    /// The encoded image, opaque to the store.
    public var bytes: [UInt8]

    /// Names an image and its bytes.
    public init(job: JobID, index: UInt32, bytes: [UInt8]) {
        self.job = job
        self.index = index
        self.bytes = bytes
    }
}

/// Everything that a turn changes; it is committed whole or not at all.
public struct StoreTurn: Sendable {
    /// The queue's entries, in order.
    public var entries: [JournalEntry] = []
    /// Bytes that the entries refer to.
    public var blobs: [BlobHandle: [UInt8]] = [:]
    /// Bytes that nothing refers to any more.
    public var discarded: [BlobHandle] = []
    /// Images that workers will not send again.
    public var images: [StoredImage] = []

    /// Nothing to do.
    public init() {}

    /// Whether there is nothing to do.
    public var isEmpty: Bool {
        entries.isEmpty && blobs.isEmpty && discarded.isEmpty && images.isEmpty
    }
}
