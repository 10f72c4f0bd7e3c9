// How a worker is set up.

import Foundation
import ZeroMQSockets

/// The settings of a worker.
public struct WorkerOptions: Sendable {
    /// The broker's endpoint for workers, `tcp://host:5571`.
    public var broker: String
    /// Unique among the workers of a broker.
    public var name: String
    public var host: String
    public var security: SocketSecurity
    /// How long a worker that is told to stop may go on with its job before it hands it back.
    public var grace: Duration
    /// How long a registration may go unanswered.
    public var registrationPatience: Duration
    /// The first pause before connecting anew, which doubles up to the longest.
    public var shortestPause: Duration
    public var longestPause: Duration
    /// How long a result may go unacknowledged before it is sent again.
    public var resultPatience: Duration

    public init(
        broker: String, name: String = WorkerOptions.defaultName,
        host: String = ProcessInfo.processInfo.hostName, security: SocketSecurity = .none,
        grace: Duration = .seconds(20), registrationPatience: Duration = .seconds(3),
        shortestPause: Duration = .milliseconds(100), longestPause: Duration = .seconds(5),
        resultPatience: Duration = .seconds(10)
    ) {
        self.broker = broker
        self.name = name
        self.host = host
        self.security = security
        self.grace = grace
        self.registrationPatience = registrationPatience
        self.shortestPause = shortestPause
        self.longestPause = longestPause
        self.resultPatience = resultPatience
    }

    /// Host and process: unique, though another one after a restart.
    public static var defaultName: String {
        let process = ProcessInfo.processInfo
        return "\(process.hostName)-\(process.processIdentifier)"
    }
}
