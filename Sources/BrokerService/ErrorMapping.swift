// The queue's refusals, holds and endings, in the protocol's terms.

import QueueCore
import WireProtocol

extension ServiceError {
    /// A refusal of the queue.
    init(_ error: QueueError, at now: Instant) {
        let (code, retryable): (ErrorCode, Bool) =
            switch error.code {
            case .invalidRequest: (.limitExceeded, false)
            case .queueFull, .tooManyKinds: (.queueFull, true)
            case .clientQueueFull: (.quotaExceeded, true)
            case .pixelBudgetSpent: (.quotaExceeded, error.retryAfter != nil)
            case .deadlineUnreachable: (.deadlineUnreachable, false)
            case .requestIDReused: (.requestIDConflict, false)
            case .storeUnavailable: (.storageUnavailable, true)
            case .unknownJob, .notQuarantined: (.unknownJob, false)
            case .resultExpired: (.resultExpired, false)
            case .notOwner, .adminOnly: (.notAuthorized, false)
            case .alreadyEnded: (.alreadyFinished, false)
            case .watchDisplaced: (.queueFull, true)
            case .journalInconsistent: (.internal, false)
            }
        self.init(
            code: code, field: error.location, sentence: error.description, retryable: retryable,
            retryAfterMilliseconds: retryable ? error.retryAfter?.milliseconds : nil,
            estimatedMilliseconds: error.estimatedEnd.map { ($0 - now).milliseconds })
    }

    /// The failure of a job.
    init(_ failure: JobFailure) {
        let code: ErrorCode =
            switch failure.code {
            case .deadlineExceeded: .deadlineExceeded
            case .discarded: .quarantined
            default: ErrorCode(workerCode: failure.workerCode)
            }
        self.init(
            code: code, field: Self.field(workerCode: failure.workerCode), sentence: failure.message
        )
    }

    /// A worker's code as the queue keeps it, with the field at fault if there is one.
    var workerCode: String { String(code.rawValue) + (field.isEmpty ? "" : " \(field)") }

    /// The field in a client's terms: the worker's request is the client's `generate.request`.
    private static func field(workerCode: String?) -> String {
        let field = workerCode?.split(separator: " ", maxSplits: 1).dropFirst().first ?? ""
        return field.hasPrefix("request.") ? "generate.\(field)" : String(field)
    }

    /// A job in quarantine.
    init(_ quarantine: Quarantine) {
        self.init(
            code: .quarantined,
            sentence: "The job took down \(quarantine.deaths) workers; an operator has to look.")
    }
}

extension ErrorCode {
    /// A worker's code as the queue keeps it.
    var workerCode: String { String(rawValue) }

    init(workerCode: String?) {
        let number = workerCode.flatMap { UInt32($0.prefix { $0 != " " }) }
        self = number.flatMap { ErrorCode(rawValue: $0) } ?? .generationFailed
        if self == .unspecified { self = .generationFailed }
    }
}

extension CancelReason {
    init(_ reason: CancellationReason) {
        switch reason {
        case .byOwner: self = .requested
        case .byAdmin: self = .administrator
        case .abandoned: self = .abandoned
        }
    }

    init(_ reason: RevocationReason) {
        switch reason {
        case .cancelled: self = .requested
        case .deadlineExceeded: self = .deadline
        case .hung, .superseded: self = .superseded
        }
    }
}

extension JobHold {
    /// No request of this protocol asks for a numerics class by itself.
    init(_ reason: HoldReason?) {
        switch reason {
        case nil: self = .unspecified
        case .noWorker: self = .noWorker
        case .modelNotLoaded, .numericsClassNotServed: self = .modelNotLoaded
        case .imageTooLarge: self = .imageTooLarge
        }
    }
}

extension WireProtocol.JobState {
    init(_ phase: JobPhase) {
        switch phase {
        case .waiting: self = .queued
        case .leased: self = .running
        case .quarantined: self = .quarantined
        case .ended(.completed): self = .completed
        case .ended(.failed): self = .failed
        case .ended(.cancelled): self = .cancelled
        case .expired: self = .expired
        }
    }
}
