// What the broker tells workers, as typed values.
// docs/protocol.md says when each is sent.

/// The worker is known and may send Ready.
public struct WorkerRegistered: Sendable, Equatable {
    /// The worker sends a heartbeat every so often ...
    public var heartbeatIntervalMilliseconds: UInt32
    /// ... and either side is taken for dead after so many missed ones.
    public var missedHeartbeatsAllowed: UInt32
    /// Held leases that are no longer the worker's: stop them.
    public var revokedLeases: [LeaseReference]

    public init(
        heartbeatIntervalMilliseconds: UInt32 = 0, missedHeartbeatsAllowed: UInt32 = 0,
        revokedLeases: [LeaseReference] = []
    ) {
        self.heartbeatIntervalMilliseconds = heartbeatIntervalMilliseconds
        self.missedHeartbeatsAllowed = missedHeartbeatsAllowed
        self.revokedLeases = revokedLeases
    }
}

/// The broker lives, too.
public struct HeartbeatReply: Sendable, Equatable {
    public var sequence: UInt64

    public init(sequence: UInt64 = 0) {
        self.sequence = sequence
    }
}

/// Work to do.
public struct LeaseGrant: Sendable, Equatable {
    public var lease: LeaseReference
    /// Complete: presets, templates and seed are resolved if the broker knows them.
    public var request: GenerationRequest
    public var deadlineMilliseconds: UInt64?
    public var preview: PreviewWish?
    /// Where to go on; absent: from the start. Images before its image_index are finished.
    public var resume: ResumeState?

    public init(
        lease: LeaseReference, request: GenerationRequest, deadlineMilliseconds: UInt64? = nil,
        preview: PreviewWish? = nil, resume: ResumeState? = nil
    ) {
        self.lease = lease
        self.request = request
        self.deadlineMilliseconds = deadlineMilliseconds
        self.preview = preview
        self.resume = resume
    }
}

/// Stop working on this lease, within a step.
public struct LeaseRevocation: Sendable, Equatable {
    public var lease: LeaseReference
    public var reason: CancelReason

    public init(lease: LeaseReference, reason: CancelReason = .unspecified) {
        self.lease = lease
        self.reason = reason
    }
}

/// Finish or hand back what is at work, take no more, and say goodbye.
public struct DrainOrder: Sendable, Equatable {
    /// Time for it; absent: as long as it takes.
    public var graceMilliseconds: UInt64?

    public init(graceMilliseconds: UInt64? = nil) {
        self.graceMilliseconds = graceMilliseconds
    }
}

/// The message of this lease is on disk; until then the worker keeps it, to send it again.
public struct LeaseAcknowledged: Sendable, Equatable {
    public var lease: LeaseReference
    /// Which message: the field number in WorkerMessage (15 for work_completed).
    public var messageField: UInt32
    /// For image_finished.
    public var imageIndex: UInt32

    public init(lease: LeaseReference, messageField: UInt32 = 0, imageIndex: UInt32 = 0) {
        self.lease = lease
        self.messageField = messageField
        self.imageIndex = imageIndex
    }
}

/// Something the worker sent was refused.
public struct WorkerRefused: Sendable, Equatable {
    /// If it is about a lease.
    public var lease: LeaseReference?
    public var error: ServiceError

    public init(lease: LeaseReference? = nil, error: ServiceError) {
        self.lease = lease
        self.error = error
    }
}
