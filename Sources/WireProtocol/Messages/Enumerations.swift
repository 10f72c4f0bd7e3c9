// The enumerations of the protocol. Values that a newer peer may add to a reply are read as the
// fallback; in a request they are refused, with the field.

/// Why something was refused or failed. The list is closed within a protocol version; a reader
/// treats a value it does not know as ERROR_CODE_INTERNAL.
public enum ErrorCode: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    /// The frame is no message of this protocol: truncated, malformed, bad UTF-8, no request in it.
    case invalidMessage = 1
    /// The protocol version is not one that the server speaks.
    case unsupportedVersion = 2
    /// A field has a value that no server could honour.
    case invalidField = 3
    /// A field is over a limit of this server (size, steps, count, length).
    case limitExceeded = 4
    /// No such preset, template, slot or key; `sentence` lists what exists.
    case unknownName = 5
    /// The deadline cannot be met; `estimated_ms` says when the job would be done.
    case deadlineUnreachable = 7
    /// The deadline passed while the job waited or ran.
    case deadlineExceeded = 8
    /// The queue is full; try again after `retry_after_ms`.
    case queueFull = 9
    /// The key's own limit (queued jobs, pixels an hour) is reached.
    case quotaExceeded = 10
    /// The key's role does not allow this request.
    case notAuthorized = 11
    /// The request id was used before, with another request.
    case requestIDConflict = 12
    /// No job of that id was ever accepted.
    case unknownJob = 13
    /// The job finished, and its result is no longer kept.
    case resultExpired = 14
    /// The job has already finished, so it cannot be cancelled.
    case alreadyFinished = 15
    /// The engine failed on this request.
    case generationFailed = 16
    /// The worker had not enough memory for this request.
    case outOfMemory = 17
    /// The job took down worker after worker and is set aside.
    case quarantined = 18
    /// The server cannot write its journal; nothing was accepted.
    case storageUnavailable = 19
    /// The server is going down; nothing was accepted.
    case shuttingDown = 20
    /// The lease is held by a newer attempt.
    case staleAttempt = 21
    /// A fault of the server itself.
    case `internal` = 22

    init(tolerating rawValue: UInt32) {
        self = ErrorCode(rawValue: rawValue) ?? .`internal`
    }
}

/// Where a job stands.
public enum JobState: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    case queued = 1
    case running = 2
    case completed = 3
    case failed = 4
    case cancelled = 5
    case quarantined = 6
    /// Finished, and the result is no longer kept.
    case expired = 7

    init(tolerating rawValue: UInt32) {
        self = JobState(rawValue: rawValue) ?? .unspecified
    }
}

/// What a queued job waits for that no connected worker has. It begins once a worker has.
public enum JobHold: UInt32, Sendable, CaseIterable {
    /// Nothing: it is not on hold.
    case unspecified = 0
    case noWorker = 1
    case modelNotLoaded = 2
    case imageTooLarge = 3

    init(tolerating rawValue: UInt32) {
        self = JobHold(rawValue: rawValue) ?? .unspecified
    }
}

/// Which job goes first; waiting raises it, so that nothing starves.
public enum JobPriority: UInt32, Sendable, CaseIterable {
    /// The same as PRIORITY_NORMAL.
    case unspecified = 0
    case low = 1
    case normal = 2
    case high = 3
}

/// When decoding is tiled.
public enum TilingMode: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    case auto = 1
    case on = 2
    case off = 3
}

/// How overlapping tiles are joined.
public enum TileBlend: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    /// The plain average of all tiles over a pixel.
    case counted = 1
    /// Weights that fall off towards a tile's border.
    case feathered = 2
}

/// What a job is at.
public enum JobStage: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    case queued = 1
    case textEncoding = 2
    case denoising = 3
    case decoding = 4

    init(tolerating rawValue: UInt32) {
        self = JobStage(rawValue: rawValue) ?? .unspecified
    }
}

/// Why a job was cancelled.
public enum CancelReason: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    /// A client asked for it.
    case requested = 1
    /// The client is gone and had not asked to be detached.
    case abandoned = 2
    /// An operator did it.
    case administrator = 3
    /// The deadline passed.
    case deadline = 4
    /// The lease went to a newer attempt.
    case superseded = 5

    init(tolerating rawValue: UInt32) {
        self = CancelReason(rawValue: rawValue) ?? .unspecified
    }
}

/// Which replies a client wants for a generate or attach request.
public enum ReplyMode: UInt32, Sendable, CaseIterable {
    /// To a REQ socket as REPLY_MODE_FINAL, to any other as REPLY_MODE_ALL.
    case unspecified = 0
    /// Accepted, progress, and the final reply.
    case all = 1
    /// Only the final reply: completed, failed or cancelled.
    case final = 2
    /// Only accepted (or failed); the result is fetched later with attach.
    case accepted = 3
}

/// What a worker is doing.
public enum WorkerState: UInt32, Sendable, CaseIterable {
    case unspecified = 0
    case starting = 1
    case idle = 2
    case busy = 3
    case draining = 4
    case lost = 5

    init(tolerating rawValue: UInt32) {
        self = WorkerState(rawValue: rawValue) ?? .unspecified
    }
}
