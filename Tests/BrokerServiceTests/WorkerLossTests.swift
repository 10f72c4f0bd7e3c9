// Workers that fall silent: their jobs go on elsewhere with what was finished, or into quarantine.

import Testing
import WireProtocol

@testable import BrokerService

@Suite(.serialized) struct WorkerLossTests {
    @Test func keepsFinishedImagesOfAJobWhoseWorkerDies() throws {
        let bench = try Bench { $0.missedHeartbeatsAllowed = 5 }
        let first = try bench.worker("first")
        try first.join()
        let client = try bench.client()
        try client.send(.make("pair", images: 2))
        _ = try client.accepted()
        let grant = try first.lease()
        try first.report(grant, step: 4)
        try first.send(
            .imageFinished(
                ImageFinished(lease: grant.lease, image: StubWorker.image(grant, 0))))
        guard case .acknowledged(let acknowledged) = try first.order() else { throw Silence() }
        #expect(acknowledged.messageField == 14 && acknowledged.imageIndex == 0)
        try first.report(grant, step: 2, image: 1)
        let second = try bench.worker("second")
        try second.join()
        try second.beat()
        // The first falls silent; the second goes on where it stopped.
        let resumed = try second.lease()
        #expect(resumed.lease == LeaseReference(jobID: grant.lease.jobID, attempt: 2))
        #expect(resumed.resume?.latents == StubWorker.latents(2))
        #expect(resumed.resume?.imageIndex == 1 && resumed.resume?.step == 2)
        #expect(resumed.request == grant.request)
        // What the first still sends is refused.
        try first.send(
            .workCompleted(
                WorkCompleted(
                    lease: grant.lease,
                    images: [StubWorker.image(grant, 0), StubWorker.image(grant, 1)],
                    imageCount: 2)))
        guard case .goodbye = try first.order() else { throw Silence() }
        try second.send(
            .workCompleted(
                WorkCompleted(
                    lease: resumed.lease, images: [StubWorker.image(resumed, 1)],
                    imageCount: 2)))
        let completed = try client.completed()
        #expect(completed.images.map(\.index) == [0, 1] && completed.attempts == 2)
        #expect(completed.worker == "second")
        // A stale attempt of a worker that is known again.
        first.held = nil
        try first.join(incarnation: 1)
        try first.send(
            .workCompleted(
                WorkCompleted(lease: grant.lease, images: [StubWorker.image(grant, 0)])))
        guard case .revoke(let revocation) = try first.order(),
            case .acknowledged = try first.order()
        else { throw Silence() }
        #expect(revocation.reason == .superseded)
    }

    @Test func quarantinesWhatKillsWorkers() throws {
        let bench = try Bench {
            $0.queueLimits.deathsPerJob = 2
            $0.missedHeartbeatsAllowed = 5
        }
        let client = try bench.client()
        try client.send(.make("killer"))
        let id = try client.accepted().jobID
        for death in 1...2 {
            let worker = try bench.worker("victim\(death)")
            try worker.join()
            _ = try worker.lease()
        }
        #expect(try client.failure().code == .quarantined)
        try client.send(.listQuarantine(ListQuarantineRequest()))
        guard case .quarantine(let list) = try client.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.map(\.job.jobID) == [id])
        #expect(list.jobs.first?.deaths.first?.worker == "victim2")
        try client.send(.inspectQuarantine(InspectQuarantineRequest(jobID: id)))
        guard case .quarantine(let one) = try client.receiveAnswer() else { throw Silence() }
        #expect(one.jobs.first?.request?.text == .prompt("a fox"))
        try client.send(.releaseQuarantine(ReleaseQuarantineRequest(jobID: id)))
        guard case .quarantine(let released) = try client.receiveAnswer() else {
            throw Silence()
        }
        #expect(released.jobs.map(\.job.state) == [.queued])
        try client.send(.attach(AttachRequest(job: .jobID(id))))
        _ = try client.accepted()
        let worker = try bench.worker("survivor")
        try worker.join()
        try worker.complete(try worker.lease())
        #expect(try client.completed().worker == "survivor")
    }
}
