// Deadlines: refused when they cannot be met, ended in the queue, at dispatch and while running.

import Foundation
import Testing
import WireProtocol

@testable import BrokerService

@Suite(.serialized) struct DeadlineTests {
    /// A worker whose steps the broker has measured at about 100 ms.
    private func measuredWorker(_ bench: Bench, _ client: StubClient) throws -> StubWorker {
        let worker = try bench.worker()
        try worker.join()
        try client.send(.make("measured"))
        _ = try client.accepted()
        let grant = try worker.lease()
        for step in 1...UInt32(4) {
            usleep(100_000)
            try worker.report(grant, step: step)
        }
        try worker.complete(grant)
        _ = try client.completed()
        return worker
    }

    @Test func aHopelessDeadlineIsRefusedWithTheEstimate() throws {
        let bench = try Bench()
        let client = try bench.client()
        let worker = try measuredWorker(bench, client)
        try client.send(.make("soon", steps: 100, deadline: 2000))
        let error = try client.failure()
        #expect(error.code == .deadlineUnreachable && !error.retryable)
        let estimate = try #require(error.estimatedMilliseconds)
        #expect(estimate > 9000, "a hundred steps of 100 ms take \(estimate) ms")
        try client.send(.make("later", steps: 100, deadline: estimate * 2))
        let accepted = try client.accepted()
        #expect(accepted.estimatedEndMilliseconds ?? .max < estimate * 2)
        #expect(try worker.lease().deadlineMilliseconds ?? .max <= estimate * 2)
    }

    @Test func aDeadlineThatPassesInTheQueueEndsTheJob() throws {
        let bench = try Bench()
        let client = try bench.client()
        try client.send(.make("waits", deadline: 500))
        _ = try client.accepted()
        #expect(try client.failure().code == .deadlineExceeded)
        try client.send(.attach(AttachRequest(job: .requestID("waits"))))
        #expect(try client.failure().code == .deadlineExceeded)
    }

    @Test func aDeadlineThatCannotBeMetAnyMoreEndsTheJobAtDispatch() throws {
        let bench = try Bench()
        let client = try bench.client()
        let worker = try measuredWorker(bench, client)
        try client.send(.make("first"))
        _ = try client.accepted()
        let first = try worker.lease()
        // Without a deadline the broker says when it would end; with that and some seconds, for
        // what a busy machine may take until then, it is taken.
        let slack = 10.0
        try client.send(.make("probe", steps: 200, detached: true))
        let probe = try client.accepted()
        let estimate = try #require(probe.estimatedEndMilliseconds)
        let start = Double(try #require(probe.estimatedStartMilliseconds)) / 1000
        try client.send(.cancel(CancelRequest(job: .jobID(probe.jobID))))
        for _ in 0..<2 {
            guard case .cancelled = try client.receiveAnswer() else { throw Silence() }
        }
        let allowed = estimate + UInt64(slack * 1000)
        let submitted = ContinuousClock.now
        try client.send(.make("second", steps: 200, deadline: allowed))
        _ = try client.accepted()
        #expect(
            try worker.hears(within: start + slack + 3) {
                if case .lease = $0 { true } else { false }
            } == false)
        try worker.complete(first)
        guard case .completed = try client.receiveAnswer() else { throw Silence() }
        #expect(try client.failure().code == .deadlineExceeded)
        let waited = (ContinuousClock.now - submitted) / .milliseconds(1)
        #expect(waited < Double(allowed), "it was not left to run out")
        #expect(
            try worker.hears(within: 0.5) { if case .lease = $0 { true } else { false } } == false)
    }

    @Test func aDeadlineThatPassesWhileRunningTakesTheLeaseBack() throws {
        let bench = try Bench()
        let client = try bench.client()
        let worker = try bench.worker()
        try worker.join()
        try client.send(.make("runs", deadline: 12_000))
        _ = try client.accepted()
        let grant = try worker.lease()
        #expect((1...12_000).contains(grant.deadlineMilliseconds ?? 0))
        guard case .revoke(let revocation) = try worker.order(seconds: 60) else { throw Silence() }
        #expect(revocation.lease == grant.lease && revocation.reason == .deadline)
        #expect(try client.failure().code == .deadlineExceeded)
        // What it made after all does not count; it is free for the next job.
        worker.held = nil
        try worker.send(.workCancelled(WorkCancelled(lease: grant.lease, stepsDone: 2)))
        try client.send(.make("next"))
        _ = try client.accepted()
        try worker.complete(try worker.lease())
        #expect(try client.completed().requestID == "next")
    }
}
