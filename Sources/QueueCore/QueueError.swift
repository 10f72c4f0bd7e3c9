// Why the queue refuses a request: the one error type of this target.

/// A refusal, with what the client needs to do better.
public struct QueueError: Error, Equatable, Sendable, Codable, CustomStringConvertible {
    /// The closed list of reasons.
    public enum Code: String, CaseIterable, Sendable, Codable {
        /// A field is outside the limits.
        case invalidRequest
        /// The queue holds as many jobs as it may.
        case queueFull
        /// The client has as many unfinished jobs as its key may.
        case clientQueueFull
        /// The client has submitted as many pixels this hour as its key may.
        case pixelBudgetSpent
        /// More clients, or more kinds of requirements, than the queue keeps track of.
        case tooManyKinds
        /// The estimated end is after the deadline.
        case deadlineUnreachable
        /// The key belongs to an earlier request with other content.
        case requestIDReused
        /// The journal cannot be written.
        case storeUnavailable
        /// No such job, or none any more that the queue remembers.
        case unknownJob
        /// The job's result was kept for its time and is gone.
        case resultExpired
        /// The job belongs to another client.
        case notOwner
        /// Only an admin may ask that.
        case adminOnly
        /// The job has already ended.
        case alreadyEnded
        /// The job is not in quarantine.
        case notQuarantined
        /// Too many others attached to the same job after this one.
        case watchDisplaced
        /// The journal's jobs contradict each other.
        case journalInconsistent
    }

    /// Which reason.
    public var code: Code
    /// What was wrong, as a clause.
    public var what: String
    /// The field at fault, or the kind of limit.
    public var location: String
    /// What to do about it.
    public var remedy: String
    /// When a repetition can succeed, where that is known; nil: not by waiting.
    public var retryAfter: TimeSpan?
    /// For an unreachable deadline: the estimated end.
    public var estimatedEnd: Instant?

    /// Makes a refusal.
    public init(
        _ code: Code, _ what: String, at location: String, remedy: String,
        retryAfter: TimeSpan? = nil, estimatedEnd: Instant? = nil
    ) {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
        self.retryAfter = retryAfter
        self.estimatedEnd = estimatedEnd
    }

    public var description: String { "\(location): \(what); \(remedy)." }
}
