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
        let end = ContinuousClock.now + .seconds(60)
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

    @Test func noticesClientsThatLeave() throws {
        let bench = try Bench()
        var leaving: StubClient? = try bench.client()
        try leaving?.send(.make("left", replies: .final))
        let staying = try bench.client()
        var state = JobState.unspecified
        for _ in 0..<6000 where state != .queued {
            state = try Self.state(of: "left", staying)
            usleep(10_000)
        }
        #expect(state == .queued)
        leaving = nil
        for _ in 0..<6000 where state != .cancelled {
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

    @Test func publishesItsState() async throws {
        let bench = try Bench()
        let client = try bench.client()
        try client.send(.make("shown", detached: true))
        let id = try client.accepted().jobID
        let status = try #require(await bench.broker.board.fresh())
        #expect(status.queue.waitingJobs.map(\.id.number) == [id])
        #expect(status.requests.values.map(\.excerpt) == ["a fox"])
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
