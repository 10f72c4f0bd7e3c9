// The names of things in the queue. Numbers are counters; strings come from peers and are
// length-limited.

/// A job's number: counted up by the queue, never used twice.
public struct JobID: Hashable, Comparable, Sendable, Codable {
    /// The count, from 1.
    public var number: UInt64
    /// Makes an id from its number.
    public init(number: UInt64) { self.number = number }
    public static func < (left: JobID, right: JobID) -> Bool { left.number < right.number }
}

/// A client's connection, numbered by the I/O loop; a reconnection is a new one.
public struct ConnectionID: Hashable, Sendable, Codable {
    /// The loop's count.
    public var number: UInt64
    /// Makes an id from its number.
    public init(number: UInt64) { self.number = number }
}

/// A worker's connection, numbered by the I/O loop; a reconnection is a new one.
public struct WorkerID: Hashable, Sendable, Codable {
    /// The loop's count.
    public var number: UInt64
    /// Makes an id from its number.
    public init(number: UInt64) { self.number = number }
}

/// Who owns jobs: an authorised key's name, or the name a client gave on an open broker.
public struct ClientID: Hashable, Sendable, Codable {
    /// The name, at most `QueueLimits.nameBytes` of UTF-8.
    public var name: String
    /// Makes an id from a name.
    public init(name: String) { self.name = name }
}

/// A client's own name for a request: the idempotency key, unique for that client.
public struct RequestID: Hashable, Sendable, Codable {
    /// The key, 1 to `QueueLimits.nameBytes` of UTF-8.
    public var key: String
    /// Makes an id from a key.
    public init(key: String) { self.key = key }
}

/// A model, by the hash of its weights.
public struct ModelID: Hashable, Sendable, Codable {
    /// The hash, in whatever spelling the workers use.
    public var hash: String
    /// Makes an id from a hash.
    public init(hash: String) { self.hash = hash }
}

/// Within one class the same request gives the same bytes (weights format and kernel family).
public struct NumericsClass: Hashable, Sendable, Codable {
    /// The class's name.
    public var name: String
    /// Makes a class from its name.
    public init(name: String) { self.name = name }
}

/// Bytes that the I/O loop and the store keep for the queue: latents, a preview, a result.
///
/// Each handle the loop hands in names bytes of its own; the queue answers each with exactly one
/// `QueueEffect.discardBlob` once nothing refers to it.
public struct BlobHandle: Hashable, Sendable, Codable {
    /// The store's number for the bytes.
    public var number: UInt64
    /// Makes a handle from the store's number.
    public init(number: UInt64) { self.number = number }
}

/// One assignment of a job to a worker. What carries an older attempt than the job's is refused.
public struct LeaseID: Hashable, Sendable, Codable {
    /// The job.
    public var job: JobID
    /// The fencing number, from 1; each assignment has a higher one than the last.
    public var attempt: UInt32
    /// Names the assignment of `job` with the number `attempt`.
    public init(job: JobID, attempt: UInt32) {
        self.job = job
        self.attempt = attempt
    }
}

/// How urgent a job is. Lower classes age, so that none starves; see `QueueLimits.overdueAfter`.
public enum Priority: Int, CaseIterable, Sendable, Codable {
    case high, normal, low
}

/// The size of a job's work.
public struct JobShape: Hashable, Sendable, Codable {
    /// Width times height of one image.
    public var pixels: Int
    /// Denoising steps an image.
    public var steps: Int
    /// How many images.
    public var images: Int

    /// Describes `images` images of `pixels` pixels in `steps` steps each.
    public init(pixels: Int, steps: Int, images: Int = 1) {
        self.pixels = pixels
        self.steps = steps
        self.images = images
    }

    /// Steps of all images together: the number that `step` in a report counts up to.
    public var totalSteps: Int { steps * images }

    /// Work in units of 1024 pixels times one step, at least 1; fairness and estimates count it.
    var workUnits: Int64 { max(1, Int64(pixels) * Int64(totalSteps) / 1024) }
}
