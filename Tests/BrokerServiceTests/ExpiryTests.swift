// Results are kept for a time and a size; what was, what failed and what never was differ.

import Testing
import WireProtocol

@testable import BrokerService

@Suite(.serialized) struct ExpiryTests {
    private func outcome(of id: String, _ client: StubClient) throws -> ServerMessage.Reply {
        try client.send(.attach(AttachRequest(job: .requestID(id))))
        return try client.receiveAnswer()
    }

    private func code(of id: String, _ client: StubClient) throws -> ErrorCode? {
        guard case .failed(let failed) = try outcome(of: id, client) else { return nil }
        return failed.error.code
    }

    @Test func resultsAreKeptForATime() throws {
        let bench = try Bench()
        var client = try bench.client()
        let worker = try bench.worker()
        try worker.join()
        try client.send(.make("done"))
        _ = try client.accepted()
        try worker.complete(try worker.lease())
        let result = try client.completed()
        guard case .completed(let again) = try outcome(of: "done", client) else { throw Silence() }
        #expect(again == result)
        #expect(try code(of: "never", client) == .unknownJob)
        // Lifetimes count from the end of a job, so a broker with shorter ones sees it expired.
        bench.configuration.queueLimits.resultLifetime = .milliseconds(10)
        try bench.crash()
        client = try bench.client()
        let expired = try eventually { try code(of: "done", client) }
        #expect(expired == .resultExpired)
        // The same request under the same id is not made again behind the client's back.
        try client.send(.make("done"))
        #expect(try client.failure().code == .resultExpired)
        bench.configuration.queueLimits.tombstoneLifetime = .milliseconds(10)
        try bench.crash()
        client = try bench.client()
        let forgotten = try eventually {
            try code(of: "done", client).flatMap { $0 == .resultExpired ? nil : $0 }
        }
        #expect(forgotten == .unknownJob)
    }

    @Test func aFailureIsNoExpiry() throws {
        let bench = try Bench()
        let client = try bench.client()
        let worker = try bench.worker()
        try worker.join()
        try client.send(.make("fails"))
        _ = try client.accepted()
        let grant = try worker.lease()
        let error = ServiceError(code: .outOfMemory, sentence: "Too large.", retryable: false)
        try worker.send(.workFailed(WorkFailed(lease: grant.lease, error: error)))
        #expect(try client.failure().code == .outOfMemory)
        #expect(try code(of: "fails", client) == .outOfMemory)
        #expect(try code(of: "never", client) == .unknownJob)
    }

    @Test func resultsAreKeptToASize() throws {
        let bench = try Bench { $0.queueLimits.resultBytes = 10_000 }
        let client = try bench.client()
        let worker = try bench.worker()
        try worker.join()
        for id in ["a", "b", "c"] {
            try client.send(.make(id))
            _ = try client.accepted()
            try worker.complete(try worker.lease(), bytes: 4000)
            _ = try client.completed()
        }
        #expect(try code(of: "a", client) == .resultExpired)
        for id in ["b", "c"] {
            guard case .completed(let kept) = try outcome(of: id, client) else { throw Silence() }
            #expect(kept.images.first?.png.count == 4000)
        }
        // It stays so after a crash, and the list says it, too.
        try bench.crash()
        let later = try bench.client()
        #expect(try code(of: "a", later) == .resultExpired)
        try later.send(.listJobs(ListJobsRequest()))
        guard case .jobs(let list) = try later.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.map(\.state) == [.expired, .completed, .completed])
    }
}
