// Leases that workers give back: the job goes on elsewhere, nobody is blamed, and every such
// message is acknowledged, whether it counts or not.

import Foundation
import Testing
import WireProtocol

@testable import BrokerService

@Suite(.serialized) struct HandBackTests {
    /// The broker's word on a message of the worker; orders to stop may come before it.
    private func acknowledgement(_ worker: StubWorker) throws -> LeaseAcknowledged {
        while true {
            switch try worker.order() {
            case .acknowledged(let receipt): return receipt
            case .revoke: continue
            case let other:
                Issue.record("\(other)")
                throw Silence()
            }
        }
    }

    private func handBack(_ grant: LeaseGrant, step: UInt32) -> WorkerMessage {
        .handBack(
            HandBack(
                lease: grant.lease,
                resume: ResumeState(step: step, latents: StubWorker.latents(step))))
    }

    /// A worker that drains, with a job that it has begun.
    private func drainingWorker(
        _ bench: Bench, _ client: StubClient, _ request: String
    ) throws -> (StubWorker, LeaseGrant) {
        let worker = try bench.worker("leaves")
        try worker.join()
        try client.send(.make(request))
        _ = try client.accepted()
        let grant = try worker.lease()
        try worker.report(grant, step: 1)
        worker.isDraining = true
        usleep(150_000)
        try worker.beat()
        return (worker, grant)
    }

    @Test func everyHandBackIsAcknowledged() throws {
        let bench = try Bench { $0.queueLimits.deathsPerJob = 1 }
        let client = try bench.client()
        let (worker, grant) = try drainingWorker(bench, client, "moves")
        let expected = LeaseAcknowledged(lease: grant.lease, messageField: 18)
        worker.held = nil
        try worker.send(handBack(grant, step: 2))
        #expect(try acknowledgement(worker) == expected)
        // Again, while the job waits.
        try worker.send(handBack(grant, step: 2))
        #expect(try acknowledgement(worker) == expected)
        let other = try bench.worker("stays")
        try other.join()
        let resumed = try other.lease()
        #expect(resumed.lease == LeaseReference(jobID: grant.lease.jobID, attempt: 2))
        #expect(resumed.resume?.step == 2 && resumed.resume?.latents == StubWorker.latents(2))
        // Again, when another has it, and when it has ended.
        try worker.send(handBack(grant, step: 2))
        #expect(try acknowledgement(worker) == expected)
        try other.complete(resumed)
        #expect(try client.completed().attempts == 2)
        try worker.send(handBack(grant, step: 2))
        #expect(try acknowledgement(worker) == expected)
    }

    @Test func aHandBackOfACancelledJobIsAcknowledged() throws {
        let bench = try Bench()
        let client = try bench.client()
        let (worker, grant) = try drainingWorker(bench, client, "unwanted")
        try client.send(.cancel(CancelRequest(job: .requestID("unwanted"))))
        for _ in 0..<2 {
            guard case .cancelled = try client.receiveAnswer() else { throw Silence() }
        }
        worker.held = nil
        try worker.send(handBack(grant, step: 2))
        let expected = LeaseAcknowledged(lease: grant.lease, messageField: 18)
        #expect(try acknowledgement(worker) == expected)
    }

    /// The first copy is lost with the connection; the second comes after a registration that
    /// names the lease. With one death allowed, blame would show as quarantine.
    @Test func aHandBackThatIsSentAgainCountsNoDeath() throws {
        let bench = try Bench { $0.queueLimits.deathsPerJob = 1 }
        let client = try bench.client()
        let (first, grant) = try drainingWorker(bench, client, "moves")
        first.isSilent = true
        let again = try bench.worker("leaves")
        again.held = grant.lease
        again.isDraining = true
        try again.join()
        again.held = nil
        try again.send(handBack(grant, step: 3))
        let expected = LeaseAcknowledged(lease: grant.lease, messageField: 18)
        #expect(try acknowledgement(again) == expected)
        try again.send(.goodbye(Goodbye(reason: "drained")))
        let other = try bench.worker("stays")
        try other.join()
        let resumed = try other.lease()
        #expect(resumed.resume?.step == 3)
        try other.complete(resumed)
        #expect(try client.completed().worker == "stays")
    }
}
