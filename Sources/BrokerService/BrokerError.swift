// Why a broker cannot start or go on: the one error type of this target.

import JobStore
import QueueCore
import ZeroMQSockets

/// A fault of the broker, with what an operator can do about it.
public struct BrokerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed list of faults.
    public enum Code: String, CaseIterable, Sendable {
        /// An endpoint that others can reach needs keys.
        case insecureEndpoint
        /// An endpoint cannot be bound, or a socket failed.
        case socket
        /// A key or the folder of keys is not usable.
        case keys
        /// The store cannot be opened or read.
        case store
        /// The store's content contradicts itself.
        case journal
        /// The system gives no thread.
        case thread
    }

    /// Which fault.
    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The endpoint, file or option.
    public let location: String
    /// What to do about it.
    public let remedy: String

    /// Describes a fault.
    public init(_ code: Code, _ what: String, at location: String, remedy: String) {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
    }

    public var description: String { "\(location): \(what); \(remedy)." }

    init(_ error: any Error) {
        switch error {
        case let error as BrokerError: self = error
        case let error as ZeroMQError:
            let isKey = error.code == .invalidKey || error.code == .invalidFile
            self.init(
                isKey ? .keys : .socket, error.what, at: error.location, remedy: error.remedy)
        case let error as JobStoreError:
            self.init(.store, error.what, at: error.location, remedy: error.remedy)
        case let error as QueueError:
            self.init(.journal, error.what, at: error.location, remedy: error.remedy)
        default:
            self.init(.socket, "\(error)", at: "broker", remedy: "report this")
        }
    }
}
