// The refusals, worded once.

extension QueueError {
    static func outOfRange(_ field: String, _ value: Int, _ limit: Int) -> QueueError {
        QueueError(
            .invalidRequest, "\(value) is not between 1 and \(limit)", at: field,
            remedy: "choose a value within the limit")
    }

    static func queueFull(_ unit: String, _ limit: Int, _ wait: TimeSpan) -> QueueError {
        QueueError(
            .queueFull, "the queue holds \(limit) \(unit) already", at: "queue",
            remedy: "try again later", retryAfter: wait)
    }

    static func clientQueueFull(_ limit: Int, _ wait: TimeSpan) -> QueueError {
        QueueError(
            .clientQueueFull, "this client may have \(limit) unfinished jobs", at: "client",
            remedy: "wait for some to end", retryAfter: wait)
    }

    static func pixelBudgetSpent(_ limit: Int64, _ wait: TimeSpan?) -> QueueError {
        QueueError(
            .pixelBudgetSpent, "this client may submit \(limit) pixels an hour", at: "client",
            remedy: wait == nil ? "ask for fewer pixels" : "try again later", retryAfter: wait)
    }

    static func deadlineUnreachable(_ end: Instant) -> QueueError {
        QueueError(
            .deadlineUnreachable, "the job would end after its deadline", at: "deadline",
            remedy: "allow more time or ask for less work", estimatedEnd: end)
    }

    static func storeUnavailable(_ limits: QueueLimits) -> QueueError {
        QueueError(
            .storeUnavailable, "the broker cannot write its journal", at: "journal",
            remedy: "try again later", retryAfter: limits.retryPauseLongest)
    }

    static func notQuarantined(_ id: JobID) -> QueueError {
        QueueError(
            .notQuarantined, "job \(id.number) is not in quarantine", at: "job",
            remedy: "list the quarantined jobs")
    }

    static let tooManyKinds = QueueError(
        .tooManyKinds, "too many clients or kinds of requirements are waiting", at: "queue",
        remedy: "try again later", retryAfter: .seconds(60))

    static let requestIDReused = QueueError(
        .requestIDReused, "an earlier request with other content has this id", at: "request id",
        remedy: "use a fresh id for each new request")

    static let unknownJob = QueueError(
        .unknownJob, "there is no such job", at: "job", remedy: "check the id, or submit again")

    static let resultExpired = QueueError(
        .resultExpired, "the job has ended and its outcome is not kept any more", at: "job",
        remedy: "submit it again under a fresh request id")

    static let notOwner = QueueError(
        .notOwner, "the job belongs to another client", at: "job",
        remedy: "use the key that submitted it, or an admin key")

    static let adminOnly = QueueError(
        .adminOnly, "only an admin may do that", at: "role", remedy: "use an admin key")

    static let alreadyEnded = QueueError(
        .alreadyEnded, "the job has already ended", at: "job", remedy: "attach for its outcome")

    static let watchDisplaced = QueueError(
        .watchDisplaced, "too many others attached to this job", at: "job",
        remedy: "attach again if it still matters")

    static func workerRefused(_ what: String) -> QueueError {
        QueueError(
            .invalidRequest, what, at: "worker description",
            remedy: "correct it, or wait until the other worker is gone",
            retryAfter: .seconds(3))
    }
}

extension QueueError.Code {
    /// Its index among all codes, for counters.
    var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
