// The client library: any number of requests at a time over one connection.

import Foundation
import WireProtocol
import ZeroMQSockets

/// A connection to a broker. Use one for all requests of a program.
///
/// Requests that get no answer are sent again, unchanged, with the same request id: after a lost
/// message, a broken connection or a restart of the broker the job is still the same job.
public final class TurbineClient: Sendable {
    /// What is heard of a job; throws `ClientError` if the broker cannot be reached.
    public typealias JobEvents = AsyncThrowingStream<JobEvent, any Error>

    private let mailbox: ClientMailbox

    /// Connects, now or when the broker is there.
    /// - Throws: `ZeroMQError` for an address or keys that cannot be used.
    public init(options: ClientOptions = ClientOptions()) throws {
        mailbox = try ClientMailbox()
        // Made here to tell errors to the caller; the thread makes its own.
        _ = try ClientLoop.makeSocket(options, in: try ZeroMQContext())
        let mailbox = mailbox
        let thread = Thread {
            do {
                let loop = try ClientLoop(options: options, mailbox: mailbox)
                try loop.run()
                mailbox.endAll(ClientError(.closed, "the client was closed"))
            } catch {
                mailbox.endAll(
                    ClientError(.unreachable, "\(error)", location: options.broker))
            }
        }
        thread.name = "turbine-client"
        thread.start()
    }

    deinit { mailbox.close() }

    /// Ends the connection; requests under way throw `closed`, their jobs are left to the broker.
    public func close() { mailbox.close() }

    // Jobs.

    /// Submits a job and follows it.
    ///
    /// Without a request id it gets one. A task that stops listening before the end cancels the
    /// job, unless the request is to be detached.
    public func generate(_ request: GenerateRequest) -> JobEvents {
        var request = request
        if request.requestID.isEmpty { request.requestID = UUID().uuidString.lowercased() }
        if request.replies == .unspecified { request.replies = .all }
        let abandoned: ClientMessage.Request? =
            request.detachOnDisconnect == true
            ? nil : .cancel(CancelRequest(job: .requestID(request.requestID)))
        return follow(.generate(request), endsAtAcceptance: request.replies == .accepted, abandoned)
    }

    /// Progress and result of a job that was submitted before.
    public func attach(_ job: JobReference, preview: PreviewWish? = nil) -> JobEvents {
        let request = AttachRequest(job: job, preview: preview, replies: .all)
        return follow(.attach(request), endsAtAcceptance: false, nil)
    }

    /// Submits a job and waits for its images.
    /// - Throws: `ClientError`, also for a job that failed or was cancelled.
    public func complete(_ request: GenerateRequest) async throws -> JobCompleted {
        try await Self.result(of: generate(request))
    }

    /// The final event of a job as its result.
    public static func result(of events: JobEvents) async throws -> JobCompleted {
        for try await event in events {
            switch event {
            case .accepted, .progress: continue
            case .completed(let result): return result
            case .failed(let failure): throw ClientError(failure.error)
            case .cancelled(let end):
                throw ClientError(.cancelled, "job \(end.jobID) was cancelled (\(end.reason))")
            }
        }
        try Task.checkCancellation()
        throw ClientError(.closed, "the client was closed")
    }

    /// Ends a queued or running job.
    /// - Throws: `ClientError` if there is nothing to cancel.
    public func cancel(_ job: JobReference) async throws -> JobCancelled {
        guard case .cancelled(let reply) = try await ask(.cancel(CancelRequest(job: job))) else {
            throw Self.unexpected
        }
        return reply
    }

    // The service.

    public func status() async throws -> ServiceStatus {
        guard case .status(let status) = try await ask(.getStatus) else { throw Self.unexpected }
        return status
    }

    public func jobs(_ request: ListJobsRequest = ListJobsRequest()) async throws -> JobList {
        guard case .jobs(let list) = try await ask(.listJobs(request)) else {
            throw Self.unexpected
        }
        return list
    }

    /// The jobs that took down worker after worker.
    public func quarantine(
        _ request: ListQuarantineRequest = ListQuarantineRequest()
    ) async throws -> QuarantineList {
        try await quarantine(asking: .listQuarantine(request))
    }

    /// One such job with its request and the deaths that it caused.
    public func inspectQuarantine(jobID: UInt64) async throws -> QuarantineList {
        try await quarantine(asking: .inspectQuarantine(InspectQuarantineRequest(jobID: jobID)))
    }

    /// Queues such a job again, or fails it for good.
    public func releaseQuarantine(jobID: UInt64, discard: Bool) async throws -> QuarantineList {
        try await quarantine(
            asking: .releaseQuarantine(ReleaseQuarantineRequest(jobID: jobID, discard: discard)))
    }

    private func quarantine(
        asking request: ClientMessage.Request
    ) async throws -> QuarantineList {
        guard case .quarantine(let list) = try await ask(request) else { throw Self.unexpected }
        return list
    }

    // Plumbing.

    private static let unexpected = ClientError(
        .unexpectedReply, "the broker answered something else",
        remedy: "use programs of one version")

    /// One request, one reply.
    private func ask(_ request: ClientMessage.Request) async throws -> ServerMessage.Reply {
        let (replies, continuation) = AsyncThrowingStream<ServerMessage.Reply, any Error>
            .makeStream()
        let number = mailbox.submit(request, endsAtFirstReply: true) { event in
            switch event {
            case .reply(let reply): continuation.yield(reply)
            case .end(let error): continuation.finish(throwing: error)
            }
        }
        // Holds the client as long as somebody listens.
        continuation.onTermination = { reason in
            if case .cancelled = reason { self.mailbox.forget(number, instead: nil) }
        }
        for try await reply in replies {
            if case .failed(let failure) = reply { throw ClientError(failure.error) }
            return reply
        }
        try Task.checkCancellation()
        throw ClientError(.closed, "the client was closed")
    }

    private func follow(
        _ request: ClientMessage.Request, endsAtAcceptance: Bool,
        _ abandoned: ClientMessage.Request?
    ) -> JobEvents {
        let (events, continuation) = JobEvents.makeStream()
        let number = mailbox.submit(request, endsAtFirstReply: endsAtAcceptance) { event in
            switch event {
            case .reply(.accepted(let reply)): continuation.yield(.accepted(reply))
            case .reply(.progress(let reply)): continuation.yield(.progress(reply))
            case .reply(.completed(let reply)): continuation.yield(.completed(reply))
            case .reply(.failed(let reply)): continuation.yield(.failed(reply))
            case .reply(.cancelled(let reply)): continuation.yield(.cancelled(reply))
            case .reply: continuation.finish(throwing: Self.unexpected)
            case .end(let error): continuation.finish(throwing: error)
            }
        }
        // Holds the client as long as somebody listens.
        continuation.onTermination = { reason in
            if case .cancelled = reason { self.mailbox.forget(number, instead: abandoned) }
        }
        return events
    }
}
