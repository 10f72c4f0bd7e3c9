// How large anything on the wire may be. A frame over its limit is refused before it is looked
// into; texts, byte strings and lists over theirs before memory is taken for them.

/// The bounds of one kind of frame.
public struct FrameLimits: Sendable, Equatable {
    /// Bytes in the frame.
    public let bytes: Int
    /// Fields in the frame, nested ones included; bounds what decoding may allocate.
    public let fields: Int
}

/// The named limits of the protocol; docs/protocol.md lists them.
public enum WireLimits {
    /// Client to broker.
    public static let clientFrame = FrameLimits(bytes: 1 << 20, fields: 1 << 10)
    /// Broker to client: results carry images.
    public static let serverFrame = FrameLimits(bytes: 1 << 28, fields: 1 << 16)
    /// Worker to broker: results and latents.
    public static let workerFrame = FrameLimits(bytes: 1 << 28, fields: 1 << 12)
    /// Broker to worker: leases carry latents.
    public static let brokerFrame = FrameLimits(bytes: 1 << 28, fields: 1 << 12)

    /// Messages within messages.
    public static let nesting = 8
    /// Prompts and negative prompts.
    public static let promptBytes = 1 << 16
    /// The text of one template slot.
    public static let slotValueBytes = 1 << 13
    /// Request ids.
    public static let requestIDBytes = 128
    /// Names, hashes and the like.
    public static let nameBytes = 256
    /// Sentences, excerpts and field paths.
    public static let sentenceBytes = 1 << 12
    /// One finished PNG.
    public static let imageBytes = 1 << 26
    /// One preview.
    public static let previewBytes = 1 << 22
    /// Latents, and what else an engine keeps to resume.
    public static let latentBytes = 1 << 26
    /// A SHA-256.
    public static let hashBytes = 32

    /// Slots of a template prompt.
    public static let slots = 32
    /// States in a job filter.
    public static let listedStates = 16
    /// Images of one job.
    public static let images = 64
    /// Lines of the status reply's outcome table.
    public static let outcomes = 64
    /// Workers in a status reply.
    public static let workers = 1024
    /// Jobs in one reply.
    public static let jobs = 1000
    /// Recorded deaths of one job.
    public static let deaths = 64
    /// Leases that one worker may hold.
    public static let leases = 64

    /// The longest text or byte string anywhere; each field has its own, lower limit besides.
    static let longestField = 1 << 26
    /// The longest list anywhere.
    static let longestList = 1024
}

/// The version in every message's `protocol_version`.
public let turbineProtocolVersion: UInt32 = 1
