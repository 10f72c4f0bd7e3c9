// The whole conversation over real sockets: submit, lease, steps, result, and what goes wrong.

import Foundation
import Testing
import WireProtocol

@testable import BrokerService

@Suite(.serialized) struct BrokerTests {
    @Test func runsAJobFromRequestToResult() throws {
        let bench = try Bench()
        let worker = try bench.worker()
        try worker.join()
        let client = try bench.client()
        let correlation = try client.send(.make("a", preview: PreviewWish(everySteps: 1)))
        let first = try client.receive()
        #expect(first.correlation == correlation)
        guard case .accepted(let accepted) = first.reply else { throw Silence() }
        #expect(accepted.requestID == "a" && !accepted.alreadyKnown && accepted.jobID == 1)
        let grant = try worker.lease()
        #expect(grant.lease == LeaseReference(jobID: 1, attempt: 1))
        #expect(grant.request.text == .prompt("a fox") && grant.request.seed != nil)
        #expect(grant.preview?.everySteps == 1)
        for step in 1...UInt32(4) {
            try worker.report(grant, step: step)
            guard case .progress(let progress) = try client.receive().reply else {
                throw Silence()
            }
            #expect(progress.step == step && progress.steps == 4 && progress.jobID == 1)
            #expect(progress.previewPNG == [137, 80, 78, 71])
        }
        try worker.complete(grant)
        let last = try client.receive()
        #expect(last.correlation == correlation)
        guard case .completed(let completed) = last.reply else { throw Silence() }
        #expect(completed.images.map(\.png) == [[UInt8](repeating: 0, count: 500)])
        #expect(completed.worker == "worker" && completed.modelHash == "hash")
        #expect(completed.numericsClass == "f32" && completed.attempts == 1)
    }

    @Test func servesREQAndDelimitedSockets() throws {
        let bench = try Bench()
        let worker = try bench.worker()
        try worker.join()
        let request = try bench.client(.request)
        try request.send(.make("r"))
        let grant = try worker.lease()
        try worker.report(grant, step: 1)
        try worker.complete(grant)
        #expect(try request.completed().requestID == "r")
        try request.send(.getStatus)
        guard case .status(let status) = try request.receive().reply else { throw Silence() }
        #expect(status.completed == 1 && status.workers.map(\.name) == ["worker"])
        #expect(status.accepting && status.workers.first?.state == .idle)

        let delimited = try bench.client()
        let frame = try ClientMessage(correlation: 9, .make("d", replies: .accepted)).encoded()
        _ = try delimited.socket.send([[], frame])
        var frames: [[UInt8]]?
        let end = ContinuousClock.now + .seconds(5)
        while frames == nil, ContinuousClock.now < end {
            frames = try delimited.socket.receive()?.frames
            usleep(1000)
        }
        #expect(frames?.count == 2 && frames?.first == [])
        let reply = try ServerMessage(frame: try #require(frames?.last))
        #expect(reply.correlation == 9)
        try worker.complete(try worker.lease())
        #expect(try delimited.hearsNothing())
    }

    @Test func theSameRequestIsTheSameJob() throws {
        let bench = try Bench()
        let worker = try bench.worker()
        try worker.join()
        let first = try bench.client()
        try first.send(.make("same"))
        let id = try first.accepted().jobID
        let second = try bench.client()
        try second.send(.make("same", replies: .all))
        let again = try second.accepted()
        #expect(again.jobID == id && again.alreadyKnown && again.state == .running)
        try second.send(.make("same", prompt: "another"))
        #expect(try second.failure().code == .requestIDConflict)
        let grant = try worker.lease()
        try worker.complete(grant)
        let results = [try first.completed(), try second.completed()]
        #expect(results[0] == results[1])
        try second.send(.make("same"))
        #expect(try second.completed() == results[0])
        try second.send(.attach(AttachRequest(job: .requestID("same"))))
        #expect(try second.completed() == results[0])
        try second.send(.attach(AttachRequest(job: .jobID(77))))
        #expect(try second.failure().code == .unknownJob)
        try second.send(.make("same", replies: .accepted))
        #expect(try second.accepted().state == .completed)
    }

    @Test func cancelsQueuedAndRunningJobs() throws {
        let bench = try Bench()
        let client = try bench.client()
        try client.send(.make("queued"))
        _ = try client.accepted()
        let cancellation = try client.send(.cancel(CancelRequest(job: .requestID("queued"))))
        let replies = [try client.receive(), try client.receive()]
        #expect(Set(replies.map(\.correlation)) == [1, cancellation])
        for reply in replies {
            guard case .cancelled(let cancelled) = reply.reply else { throw Silence() }
            #expect(cancelled.reason == .requested)
        }
        let worker = try bench.worker()
        try worker.join()
        try client.send(.make("running"))
        _ = try client.accepted()
        let grant = try worker.lease()
        try client.send(.cancel(CancelRequest(job: .jobID(grant.lease.jobID))))
        guard case .revoke(let revocation) = try worker.order() else { throw Silence() }
        #expect(revocation.lease == grant.lease && revocation.reason == .requested)
        worker.held = nil
        try worker.send(.workCancelled(WorkCancelled(lease: grant.lease, stepsDone: 1)))
        for _ in 0..<2 {
            guard case .cancelled = try client.receiveAnswer() else { throw Silence() }
        }
        try client.send(.make("next"))
        _ = try client.accepted()
        try worker.complete(try worker.lease())
        _ = try client.completed()
        try client.send(.cancel(CancelRequest(job: .requestID("next"))))
        #expect(try client.failure().code == .alreadyFinished)
    }

    @Test(.disabled("fails: the second worker hears nothing in time; see docs/operations.md"))
    func keepsFinishedImagesOfAJobWhoseWorkerDies() throws {
        let bench = try Bench()
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
        try first.join(incarnation: 1)
        first.held = nil
        try first.send(
            .workCompleted(
                WorkCompleted(lease: grant.lease, images: [StubWorker.image(grant, 0)])))
        guard case .revoke(let revocation) = try first.order(),
            case .acknowledged = try first.order()
        else { throw Silence() }
        #expect(revocation.reason == .superseded)
    }

    @Test func losesNothingInACrash() throws {
        let bench = try Bench()
        let client = try bench.client()
        for number in 0..<200 { try client.send(.make("j\(number)", detached: true)) }
        for _ in 0..<200 { _ = try client.accepted() }
        let worker = try bench.worker()
        try worker.join()
        let done = try worker.lease()
        try worker.complete(done)
        let running = try worker.lease()
        try worker.report(running, step: 2)
        _ = try client.completed()
        try bench.crash()
        // The worker is unknown, registers again and keeps its job; clients find everything.
        try worker.join()
        try worker.beat()
        try worker.complete(running)
        let again = try bench.client()
        try again.send(.attach(AttachRequest(job: .jobID(done.lease.jobID))))
        #expect(try again.completed().attempts == 1)
        try again.send(.attach(AttachRequest(job: .jobID(running.lease.jobID))))
        #expect(try again.completed().attempts == 1)
        try again.send(.listJobs(ListJobsRequest(limit: 1000)))
        guard case .jobs(let list) = try again.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.count == 200 && !list.more)
        #expect(Set(list.jobs.map(\.requestID)).count == 200)
        #expect(list.jobs.first?.promptExcerpt == "" && list.jobs.last?.promptExcerpt == "a fox")
        try again.send(
            .listJobs(ListJobsRequest(states: [.completed], limit: 1, allClients: true)))
        guard case .jobs(let page) = try again.receiveAnswer() else { throw Silence() }
        #expect(page.jobs.map(\.state) == [.completed] && page.more)
    }

    @Test func saysSoWhenTheDiskIsFull() throws {
        let bench = try Bench { $0.maximumStoreBytes = 512 << 10 }
        let client = try bench.client()
        let long = String(repeating: "x", count: 60_000)
        var accepted: [UInt64] = []
        var refused = 0
        for number in 0..<20 {
            try client.send(.make("big\(number)", prompt: long, detached: true))
            switch try client.receiveAnswer() {
            case .accepted(let reply): accepted.append(reply.jobID)
            case .failed(let failed):
                #expect(failed.error.code == .storageUnavailable && failed.error.retryable)
                refused += 1
            case let other: Issue.record("\(other)")
            }
        }
        #expect(!accepted.isEmpty && refused > 0)
        try bench.crash()
        let again = try bench.client()
        try again.send(.listJobs(ListJobsRequest(limit: 100)))
        guard case .jobs(let list) = try again.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.map(\.jobID) == accepted)
    }

    @Test(.disabled("does not end: no goodbye after a failed commit; see docs/operations.md"))
    func followersGoOnAfterAFailedTransaction() throws {
        let bench = try Bench { $0.maximumStoreBytes = 1 << 20 }
        let worker = try bench.worker()
        try worker.join()
        let client = try bench.client()
        try client.send(.make("kept"))
        _ = try client.accepted()
        let grant = try worker.lease()
        let other = try bench.client()
        let long = String(repeating: "y", count: 60_000)
        var isFull = false
        for number in 0..<40 where !isFull {
            try other.send(.make("big\(number)", prompt: long, detached: true))
            if case .failed = try other.receiveAnswer() { isFull = true }
        }
        #expect(isFull)
        // The queue was rebuilt: the worker registers again, its job and follower are kept.
        guard case .goodbye = try worker.order(seconds: 8) else { throw Silence() }
        try other.send(.cancel(CancelRequest(job: .requestID("big0"))))
        _ = try other.receiveAnswer()
        try worker.join()
        var completed: JobCompleted?
        for _ in 0..<50 where completed == nil {
            try worker.send(
                .workCompleted(
                    WorkCompleted(lease: grant.lease, images: [StubWorker.image(grant, 0)])))
            worker.held = grant.lease
            try worker.beat()
            if let reply = try? client.receive(seconds: 0.2),
                case .completed(let result) = reply.reply
            {
                completed = result
            }
        }
        #expect(completed?.requestID == "kept")
    }

    @Test func noticesClientsThatLeave() throws {
        let bench = try Bench()
        var leaving: StubClient? = try bench.client()
        try leaving?.send(.make("left", replies: .final))
        let staying = try bench.client()
        var state = JobState.unspecified
        for _ in 0..<100 where state != .queued {
            state = try Self.state(of: "left", staying)
            usleep(10_000)
        }
        #expect(state == .queued)
        leaving = nil
        for _ in 0..<300 where state != .cancelled {
            usleep(10_000)
            state = try Self.state(of: "left", staying)
        }
        #expect(state == .cancelled)
        #expect(leaving == nil)
    }

    private static func state(of request: String, _ client: StubClient) throws -> JobState {
        try client.send(.listJobs(ListJobsRequest()))
        guard case .jobs(let list) = try client.receiveAnswer() else { throw Silence() }
        return list.jobs.first { $0.requestID == request }?.state ?? .unspecified
    }

    @Test func quarantinesWhatKillsWorkers() throws {
        let bench = try Bench { $0.queueLimits.deathsPerJob = 2 }
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

    @Test func publishesItsState() async throws {
        let bench = try Bench()
        let client = try bench.client()
        try client.send(.make("shown", detached: true))
        let id = try client.accepted().jobID
        let status = try #require(await bench.broker.board.fresh())
        #expect(status.queue.waitingJobs.map(\.id.number) == [id])
        #expect(status.prompts.values.map { $0 } == ["a fox"])
        #expect(status.journal.commits > 0 && status.process.residentBytes > 1 << 20)
        #expect(status.sockets.received > 0 && status.sockets.clientConnections == 1)
    }

    @Test func refusesOpenEndpointsWithoutKeys() throws {
        var configuration = BrokerConfiguration(dataFolder: "/nonexistent")
        for endpoint in ["tcp://0.0.0.0:5570", "tcp://*:5570", "tcp://127.0.0.1.evil.org:1"] {
            configuration.clientEndpoint = endpoint
            #expect {
                _ = try Broker(configuration)
            } throws: {
                ($0 as? BrokerError)?.code == .insecureEndpoint
            }
        }
    }
}
