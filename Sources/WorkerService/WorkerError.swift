// What can go wrong in a worker, and how a job's client is told.

import WireProtocol

/// A fault of a worker or of the work it was given: what, where, and what to do about it.
public struct WorkerError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// The request has a value that this engine cannot honour.
        case invalidRequest
        /// The request names a preset, template or slot that is not there.
        case unknownName
        /// The request is over a limit.
        case limitExceeded
        /// The request needs more memory than there is.
        case outOfMemory
        /// What another attempt left cannot be gone on from: the job begins again.
        case invalidResumeState
        /// The work was stopped on demand.
        case cancelled
        /// The engine failed.
        case generationFailed
        /// The model cannot be loaded, or its first image failed.
        case notReady
        /// The broker cannot be connected to as configured.
        case invalidConnection
    }

    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The field of the request, the file or the endpoint at fault; may be empty.
    public let location: String
    /// What to do about it; may be empty.
    public let remedy: String

    public init(_ code: Code, _ what: String, location: String = "", remedy: String = "") {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
    }

    public var description: String {
        (location.isEmpty ? what : "\(location): \(what)") + (remedy.isEmpty ? "" : "; \(remedy)")
    }

    /// Work that was stopped.
    public static let cancellation = WorkerError(.cancelled, "the work was cancelled")

    /// This fault as the error of a message. Only what may differ elsewhere or later is retryable.
    public var serviceError: ServiceError {
        let (code, isRetryable): (ErrorCode, Bool) =
            switch code {
            case .invalidRequest: (.invalidField, false)
            case .unknownName: (.unknownName, false)
            case .limitExceeded: (.limitExceeded, false)
            case .outOfMemory: (.outOfMemory, true)
            case .invalidResumeState, .generationFailed: (.generationFailed, true)
            case .cancelled, .notReady, .invalidConnection: (.internal, true)
            }
        let field = self.code == .invalidResumeState ? ServiceError.resumeField : location
        return ServiceError(
            code: code, field: Self.cut(field, WireLimits.nameBytes),
            sentence: Self.cut(description, WireLimits.sentenceBytes), retryable: isRetryable)
    }

    /// The error of a message for anything that an engine may throw.
    static func serviceError(of error: any Error) -> ServiceError {
        if let error = error as? WorkerError { return error.serviceError }
        return WorkerError(.generationFailed, "\(error)").serviceError
    }

    /// The start of a text that fits the protocol's limits.
    private static func cut(_ text: String, _ bytes: Int) -> String {
        let clean = text.replacing("\0", with: " ")
        guard clean.utf8.count > bytes else { return clean }
        var result = ""
        var count = 0
        for character in clean {
            count += character.utf8.count
            guard count <= bytes else { break }
            result.append(character)
        }
        return result
    }
}
