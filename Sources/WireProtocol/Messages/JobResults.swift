// What a job yields: images, seconds, savings, and the error in their place.
// docs/protocol.md says when each is sent.

/// One fault.
public struct ServiceError: Sendable, Equatable {
    public var code: ErrorCode
    /// The field at fault, as a path of field names ("generate.pruning.head_share"), or empty.
    public var field: String
    /// One sentence for a person.
    public var sentence: String
    /// Whether the same request may succeed later.
    public var retryable: Bool
    /// The wait before that, if the server knows it.
    public var retryAfterMilliseconds: UInt64?
    /// For ERROR_CODE_DEADLINE_UNREACHABLE: the time until the job would be done.
    public var estimatedMilliseconds: UInt64?

    public init(
        code: ErrorCode = .unspecified, field: String = "", sentence: String = "",
        retryable: Bool = false, retryAfterMilliseconds: UInt64? = nil,
        estimatedMilliseconds: UInt64? = nil
    ) {
        self.code = code
        self.field = field
        self.sentence = sentence
        self.retryable = retryable
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.estimatedMilliseconds = estimatedMilliseconds
    }

    /// The field at fault where a worker cannot go on from its lease's resume state: the broker
    /// drops the state and has the job begin again.
    public static let resumeField = "resume"
}

/// One finished image.
public struct GeneratedImage: Sendable, Equatable {
    public var index: UInt32
    public var seed: UInt64
    public var width: UInt32
    public var height: UInt32
    public var png: [UInt8]
    /// SHA-256 of the pixels (rows of 8-bit RGB), 32 bytes: equal images have equal hashes,
    /// whatever their metadata and compression.
    public var pixelSHA256: [UInt8]

    public init(
        index: UInt32 = 0, seed: UInt64 = 0, width: UInt32 = 0, height: UInt32 = 0,
        png: [UInt8] = [], pixelSHA256: [UInt8] = []
    ) {
        self.index = index
        self.seed = seed
        self.width = width
        self.height = height
        self.png = png
        self.pixelSHA256 = pixelSHA256
    }
}

/// Where the time went.
public struct StageSeconds: Sendable, Equatable {
    public var queued: Double
    public var textEncoding: Double
    public var denoising: Double
    public var decoding: Double
    public var pngEncoding: Double

    public init(
        queued: Double = 0, textEncoding: Double = 0, denoising: Double = 0, decoding: Double = 0,
        pngEncoding: Double = 0
    ) {
        self.queued = queued
        self.textEncoding = textEncoding
        self.denoising = denoising
        self.decoding = decoding
        self.pngEncoding = pngEncoding
    }
}

/// What attention pruning saved, as shares (0...1).
public struct PruningReport: Sendable, Equatable {
    public var attentionWorkSaved: Double
    public var totalWorkSaved: Double
    public var headsIdle: Double

    public init(attentionWorkSaved: Double = 0, totalWorkSaved: Double = 0, headsIdle: Double = 0) {
        self.attentionWorkSaved = attentionWorkSaved
        self.totalWorkSaved = totalWorkSaved
        self.headsIdle = headsIdle
    }
}
