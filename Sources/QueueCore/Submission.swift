// What a client asks for, as far as the queue must understand it. The rest is an opaque payload.

/// A request to generate, as submitted.
public struct Submission: Equatable, Sendable, Codable {
    /// The client's idempotency key.
    public var request: RequestID
    /// How much work it is.
    public var shape: JobShape
    /// The model it must run on; nil is any.
    public var model: ModelID?
    /// The numerics class it must run in; nil is any.
    public var numericsClass: NumericsClass?
    /// How urgent it is.
    public var priority: Priority
    /// When it must be finished; nil is whenever.
    public var deadline: Instant?
    /// Whether it goes on when nobody is attached any more.
    public var isDetached: Bool
    /// The encoded request, which only the worker reads.
    public var payload: [UInt8]

    /// Describes a request.
    public init(
        request: RequestID, shape: JobShape, model: ModelID? = nil,
        numericsClass: NumericsClass? = nil, priority: Priority = .normal,
        deadline: Instant? = nil, isDetached: Bool = false, payload: [UInt8] = []
    ) {
        self.request = request
        self.shape = shape
        self.model = model
        self.numericsClass = numericsClass
        self.priority = priority
        self.deadline = deadline
        self.isDetached = isDetached
        self.payload = payload
    }

    /// FNV-1a over the content, to tell a repetition from another request under the same key.
    ///
    /// Deadline, priority and detachment are left out: a client that retries may renew them, and
    /// they do not change the result. So is the shape: it follows from the payload and from what is
    /// known, at the time, of fields that the payload leaves open.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        for byte in (model?.hash ?? "").utf8 { mix(byte) }
        mix(0xff as UInt8)
        for byte in (numericsClass?.name ?? "").utf8 { mix(byte) }
        mix(0xff as UInt8)
        for byte in payload { mix(byte) }
        return hash
    }
}

/// Who sent a request, and how its answers find the way back.
public struct Requester: Equatable, Sendable, Codable {
    /// Where answers go.
    public var connection: ConnectionID
    /// Whose request it is.
    public var client: ClientID
    /// Whether the key has the admin role: may see and cancel everyone's jobs.
    public var isAdmin: Bool
    /// The loop's correlation number, repeated in every answer.
    public var tag: UInt64
    /// Whether answers before the last are wanted.
    public var wantsProgress: Bool
    /// Whether preview images are wanted with the progress.
    public var wantsPreviews: Bool

    /// Describes who sent a request.
    public init(
        connection: ConnectionID, client: ClientID, isAdmin: Bool = false, tag: UInt64 = 0,
        wantsProgress: Bool = true, wantsPreviews: Bool = false
    ) {
        self.connection = connection
        self.client = client
        self.isAdmin = isAdmin
        self.tag = tag
        self.wantsProgress = wantsProgress
        self.wantsPreviews = wantsPreviews
    }
}

/// What one client key may have; comes with each submission, so that a replay needs no key folder.
public struct ClientLimits: Equatable, Sendable, Codable {
    /// Jobs accepted and not ended.
    public var queuedJobs: Int
    /// Pixels of all images submitted in an hour; also the most that may come at once.
    public var pixelsPerHour: Int64

    /// Makes limits.
    public init(queuedJobs: Int, pixelsPerHour: Int64) {
        self.queuedJobs = queuedJobs
        self.pixelsPerHour = pixelsPerHour
    }

    /// No limits but the queue's own.
    public static let unlimited = ClientLimits(queuedJobs: .max, pixelsPerHour: .max)
}

/// A job as a client names it.
public enum JobReference: Equatable, Sendable, Codable {
    /// By the queue's number.
    case job(JobID)
    /// By the requester's own idempotency key.
    case request(RequestID)
}
