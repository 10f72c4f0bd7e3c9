// What a caller of the client library may have to deal with.

import WireProtocol

/// Why a request has no answer.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// The broker refused the request, or the job failed; `serviceError` says why.
        case failed
        /// The job was cancelled.
        case cancelled
        /// Nothing was heard of the broker for too long.
        case unreachable
        /// The request breaks the protocol's limits and was not sent.
        case invalidRequest
        /// The answer was of another kind than the request calls for.
        case unexpectedReply
        /// The client was closed.
        case closed
    }

    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The endpoint or the field at fault; may be empty.
    public let location: String
    /// What to do about it; may be empty.
    public let remedy: String
    /// The server's own words, if it said any.
    public let serviceError: ServiceError?

    public init(
        _ code: Code, _ what: String, location: String = "", remedy: String = "",
        serviceError: ServiceError? = nil
    ) {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
        self.serviceError = serviceError
    }

    public init(_ error: ServiceError) {
        self.init(
            .failed, error.sentence.isEmpty ? "\(error.code)" : error.sentence,
            location: error.field, serviceError: error)
    }

    public var description: String {
        let isNamed = location.isEmpty || what.hasPrefix(location)
        return (isNamed ? what : "\(location): \(what)") + (remedy.isEmpty ? "" : "; \(remedy)")
    }
}
