// The one error type of this target.

/// Why the status pages cannot be served.
public struct StatusHTTPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed list of reasons.
    public enum Code: String, Sendable {
        /// An address that is no `HOST:PORT`.
        case invalidAddress
        /// An address that other machines reach, without a token.
        case openAddress
        /// A token that does not fit into a header, or is too short to protect anything.
        case invalidToken
        /// The address cannot be bound.
        case bindFailed
    }

    /// Which reason.
    public let code: Code
    /// What was wrong, as a clause.
    public let what: String
    /// The setting at fault.
    public let location: String
    /// What to do about it.
    public let remedy: String

    public var description: String { "\(location): \(what); \(remedy)." }
}
