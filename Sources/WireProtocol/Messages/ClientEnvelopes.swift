// The envelopes between clients and the broker.

/// Client to broker.
public struct ClientMessage: Sendable, Equatable {
    /// What the message is.
    public enum Request: Sendable, Equatable {
        case generate(GenerateRequest)
        case cancel(CancelRequest)
        case attach(AttachRequest)
        case getStatus
        case listJobs(ListJobsRequest)
        case listQuarantine(ListQuarantineRequest)
        case inspectQuarantine(InspectQuarantineRequest)
        case releaseQuarantine(ReleaseQuarantineRequest)
    }

    /// Any number; every reply to this message carries it.
    public var correlation: UInt64
    public var request: Request

    public init(correlation: UInt64 = 0, _ request: Request) {
        self.correlation = correlation
        self.request = request
    }
}

/// Broker to client.
public struct ServerMessage: Sendable, Equatable {
    /// What the message is.
    public enum Reply: Sendable, Equatable {
        case accepted(JobAccepted)
        case progress(JobProgress)
        case completed(JobCompleted)
        case failed(JobFailed)
        case cancelled(JobCancelled)
        case status(ServiceStatus)
        case jobs(JobList)
        case quarantine(QuarantineList)
    }

    /// That of the request; 0 if it could not be read.
    public var correlation: UInt64
    public var reply: Reply

    public init(correlation: UInt64 = 0, _ reply: Reply) {
        self.correlation = correlation
        self.reply = reply
    }
}
