// A worker over real sockets: coming, working, being stopped, going.

import Foundation
import Testing
import WireProtocol

@testable import WorkerService

@Suite(.serialized) struct WorkerTests {
    @Test func `a worker registers, warms up, becomes ready and beats`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker)
        let registration = try #require(try broker.register())
        #expect(registration.name == "worker")
        #expect(registration.defaultShape == DefaultShape(width: 128, height: 128, steps: 24))
        #expect(registration.model.hash == "abc")
        #expect(registration.heldLeases.isEmpty)
        #expect(try broker.wait { if case .ready = $0 { true } else { nil } } == true)
        let first = try #require(try broker.heartbeat())
        let second = try #require(try broker.heartbeat())
        #expect(second.sequence > first.sequence)
        #expect(second.lease == nil)
        #expect(second.residentBytes > 1 << 20)
        withExtendedLifetime(worker) {}
    }

    @Test func `a model that fails its first image ends the worker`() throws {
        let broker = try FakeBroker()
        let script = StubScript { $0.warmUpError = WorkerError(.notReady, "no weights") }
        let worker = RunningWorker(broker, script)
        try broker.register(seconds: 1)
        let outcome = try #require(worker.outcome())
        #expect(throws: WorkerError(.notReady, "no weights")) { try outcome.get() }
        #expect(!broker.received.contains { if case .ready = $0.message { true } else { false } })
    }

    @Test func `a lease yields steps with latents and a result`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker)
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 3)
        for number in 1...3 {
            let step = try #require(try broker.step(atLeast: UInt32(number)))
            #expect(step.lease == lease)
            #expect(step.step == UInt32(number))
            #expect(step.steps == 3)
            #expect(step.resume?.latents == [UInt8(number)])
        }
        let result = try #require(try broker.completed())
        #expect(result.lease == lease)
        #expect(result.images.map(\.png) == [[1, 2, 3]])
        try broker.acknowledge(lease)
        #expect(try broker.wait { Self.isIdleBeat($0) } == true)
        withExtendedLifetime(worker) {}
    }

    @Test func `images but the last are sent as they are done`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker)
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 2, images: 3)
        let result = try #require(try broker.completed())
        let early = broker.received.compactMap { item -> UInt32? in
            if case .imageFinished(let value) = item.message { value.image.index } else { nil }
        }
        #expect(early == [0, 1])
        #expect(result.images.map(\.index) == [2])
        #expect(result.imageCount == 3)
        #expect(result.lease == lease)
        withExtendedLifetime(worker) {}
    }

    @Test func `work goes on where another attempt stopped`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker)
        #expect(try broker.waitUntilReady())
        let resume = ResumeState(imageIndex: 1, step: 3, latents: [3])
        _ = try broker.grant(attempt: 2, steps: 4, images: 2, resume: resume)
        let step = try #require(try broker.step())
        #expect(step.step == 4)
        #expect(step.imageIndex == 1)
        _ = try #require(try broker.completed())
        #expect(worker.script.now.stepsDone == 1)
    }

    @Test func `a revoked lease stops within a block`() throws {
        let broker = try FakeBroker()
        // A step that outlasts the patience of the test by far: who waits for its end fails.
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 600 })
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant()
        #expect(try broker.wait { Self.stage($0) } == .textEncoding)
        try broker.send(.revoke(LeaseRevocation(lease: lease, reason: .requested)))
        #expect(try broker.cancelled()?.lease == lease)
        #expect(worker.script.now.stepsDone == 0)
        _ = try broker.grant(job: 2)
        #expect(try broker.wait { Self.stage($0) } == .textEncoding)
        withExtendedLifetime(worker) {}
    }

    @Test func `a refused request fails with its code, and the worker goes on`() throws {
        let broker = try FakeBroker()
        let fault = WorkerError(
            .unknownName, "there is no preset", location: "request.preset", remedy: "use turbo")
        let worker = RunningWorker(broker, StubScript { $0.errors = ["bad": fault] })
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(prompt: "bad")
        let failure = try broker.wait { message -> WorkFailed? in
            if case .workFailed(let value) = message { value } else { nil }
        }
        #expect(failure?.lease == lease)
        #expect(failure?.error.code == .unknownName)
        #expect(failure?.error.field == "request.preset")
        #expect(failure?.error.retryable == false)
        try broker.acknowledge(lease, field: 16)
        _ = try broker.grant(job: 2)
        #expect(try broker.completed() != nil)
        withExtendedLifetime(worker) {}
    }

    @Test func `a second lease is handed back while one is at work`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 30 })
        #expect(try broker.waitUntilReady())
        _ = try broker.grant(job: 1)
        let second = try broker.grant(job: 2)
        #expect(try broker.handBack()?.lease == second)
        withExtendedLifetime(worker) {}
    }

    @Test func `a worker that is told to stop finishes what is soon done`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 0.1 }, grace: .seconds(60))
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 5)
        _ = try broker.step()
        worker.stop()
        let result = try #require(try broker.completed())
        #expect(result.lease == lease)
        try broker.acknowledge(lease)
        #expect(try broker.wait { if case .goodbye = $0 { true } else { nil } } == true)
        #expect(throws: Never.self) { try #require(worker.outcome()).get() }
    }

    @Test func `a worker that is told to stop hands back what would take too long`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 0.3 }, grace: .seconds(1))
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 100)
        let step = try #require(try broker.step(atLeast: 2))
        worker.stop()
        let back = try #require(try broker.handBack())
        #expect(back.lease == lease)
        #expect((back.resume?.step ?? 0) >= step.step)
        try broker.acknowledge(lease, field: 18)
        #expect(try broker.wait { if case .goodbye = $0 { true } else { nil } } == true)
        #expect(worker.outcome() != nil)
    }

    @Test func `a draining worker takes nothing and says so`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 0.5 })
        #expect(try broker.waitUntilReady())
        _ = try broker.grant(steps: 4)
        _ = try broker.step()
        try broker.send(.drain(DrainOrder(graceMilliseconds: 10_000)))
        #expect(
            try broker.wait { message -> Bool? in
                if case .heartbeat(let beat) = message, beat.draining { true } else { nil }
            } == true)
        let second = try broker.grant(job: 2)
        #expect(try broker.handBack()?.lease == second)
        withExtendedLifetime(worker) {}
    }

    static func isIdleBeat(_ message: WorkerMessage) -> Bool? {
        if case .heartbeat(let beat) = message, beat.lease == nil { true } else { nil }
    }

    static func stage(_ message: WorkerMessage) -> JobStage? {
        if case .stepReport(let value) = message { value.stage } else { nil }
    }
}
