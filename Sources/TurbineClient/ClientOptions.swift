// How a client connects, and how patient it is.

import WireProtocol
import ZeroMQSockets

/// The settings of a client.
public struct ClientOptions: Sendable {
    /// The broker's endpoint for clients, `tcp://host:5570`.
    public var broker: String
    public var security: SocketSecurity
    /// After so long without an answer a request is sent again, unchanged.
    public var repetition: Duration
    /// After so long without any answer a request is given up as unreachable; nil: never.
    public var patience: Duration?
    /// How often a request is sent again that the broker could not take at the time.
    public var retries: Int
    /// The first pause before such a retry where the broker names none; it doubles.
    public var retryPause: Duration

    public init(
        broker: String = "tcp://127.0.0.1:5570", security: SocketSecurity = .none,
        repetition: Duration = .seconds(10), patience: Duration? = .seconds(60), retries: Int = 8,
        retryPause: Duration = .milliseconds(500)
    ) {
        self.broker = broker
        self.security = security
        self.repetition = repetition
        self.patience = patience
        self.retries = retries
        self.retryPause = retryPause
    }
}

/// What is heard of a job, in order. The last one is completed, failed or cancelled.
public enum JobEvent: Sendable, Equatable {
    /// The job is on disk.
    case accepted(JobAccepted)
    case progress(JobProgress)
    case completed(JobCompleted)
    case failed(JobFailed)
    case cancelled(JobCancelled)
}
