// What a worker does when the broker is lost, restarted, or talks nonsense, and while the
// model computes.

import Foundation
import Testing
import WireProtocol

@testable import WorkerService

@Suite(.serialized) struct WorkerConnectionTests {
    @Test func `a silent broker makes the worker register again with its lease`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 0.1 })
        #expect(try broker.waitUntilReady(missedHeartbeats: 3))
        let lease = try broker.grant(steps: 600)
        _ = try broker.step()
        broker.answersHeartbeats = false
        let registration = try #require(try broker.register())
        #expect(registration.heldLeases == [lease])
        broker.answersHeartbeats = true
        #expect(try broker.wait { if case .ready = $0 { true } else { nil } } == true)
        let step = try #require(try broker.step(atLeast: 5))
        #expect(step.lease == lease)
        #expect(worker.script.now.orders.count == 1)
    }

    @Test func `a result survives the broker until it is acknowledged`() throws {
        var broker: FakeBroker? = try FakeBroker()
        let endpoint = try #require(broker?.endpoint)
        let worker = RunningWorker(try #require(broker), StubScript { $0.stepSeconds = 0.3 })
        #expect(try broker?.waitUntilReady(missedHeartbeats: 3) == true)
        let lease = try #require(try broker?.grant(steps: 2))
        _ = try broker?.step()
        broker = nil
        usleep(1_000_000)
        let second = try FakeBroker(endpoint: endpoint)
        let registration = try #require(try second.register())
        #expect(registration.heldLeases == [lease])
        #expect(try second.completed()?.lease == lease)
        #expect(try second.heartbeat()?.lease == lease)
        // Without an acknowledgement it comes again.
        #expect(try second.completed()?.lease == lease)
        try second.acknowledge(lease)
        #expect(try second.wait { WorkerTests.isIdleBeat($0) } == true)
        withExtendedLifetime(worker) {}
    }

    @Test func `what is handed back is kept until it is acknowledged`() throws {
        let broker = try FakeBroker()
        let script = StubScript { $0.stepSeconds = 0.3 }
        let worker = RunningWorker(broker, script, grace: .seconds(60))
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 1000)
        _ = try broker.step(atLeast: 2)
        worker.stop()
        let first = try #require(try broker.handBack(seconds: 20))
        #expect(first.lease == lease && (first.resume?.step ?? 0) >= 2)
        // Unacknowledged it comes again, and the lease counts as held meanwhile.
        #expect(try broker.heartbeat()?.lease == lease)
        #expect(try broker.handBack(seconds: 20) == first)
        // It survives the connection, too.
        try broker.send(.goodbye(Goodbye(reason: "restart")))
        #expect(try #require(try broker.register()).heldLeases == [lease])
        #expect(try broker.handBack(seconds: 20) == first)
        #expect(
            !broker.received.contains { if case .goodbye = $0.message { true } else { false } })
        try broker.acknowledge(lease, field: 18)
        #expect(
            try broker.wait(seconds: 20) { if case .goodbye = $0 { true } else { nil } } == true)
        #expect(throws: Never.self) { try #require(worker.outcome(seconds: 20)).get() }
    }

    @Test func `a drained worker does not wait forever for an acknowledgement`() throws {
        let broker = try FakeBroker()
        let script = StubScript { $0.stepSeconds = 0.1 }
        let worker = RunningWorker(broker, script, grace: .milliseconds(500))
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 1000)
        _ = try broker.step()
        worker.stop()
        #expect(try broker.handBack(seconds: 20)?.lease == lease)
        #expect(
            try broker.wait(seconds: 20) { if case .goodbye = $0 { true } else { nil } } == true)
        #expect(throws: Never.self) { try #require(worker.outcome(seconds: 20)).get() }
    }

    @Test func `leases revoked at registration are stopped`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 0.2 })
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 100)
        _ = try broker.step()
        try broker.send(.goodbye(Goodbye(reason: "restart")))
        try broker.register(revoked: [lease])
        #expect(try broker.cancelled()?.lease == lease)
        withExtendedLifetime(worker) {}
    }

    @Test func `a broker that does not know the worker is registered with again`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker)
        #expect(try broker.waitUntilReady())
        try broker.send(
            .refused(WorkerRefused(error: ServiceError(code: .internal, sentence: "who?"))))
        #expect(try broker.register() != nil)
        withExtendedLifetime(worker) {}
    }

    @Test func `malformed frames are passed over`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker)
        #expect(try broker.waitUntilReady())
        var generator = SystemRandomNumberGenerator()
        for length in 0..<500 {
            try broker.send(
                frame: (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        let lease = try broker.grant()
        #expect(try broker.completed()?.lease == lease)
        #expect(worker.log.contains { $0.contains("passed over") })
    }

    /// The model computes without a pause, and not one step ends meanwhile: beats that waited for
    /// it would never come.
    @Test func `heartbeats go on while the model computes`() throws {
        let broker = try FakeBroker()
        let script = StubScript {
            $0.stepSeconds = 600
            $0.spins = true
        }
        let worker = RunningWorker(broker, script)
        #expect(try broker.waitUntilReady())
        let lease = try broker.grant(steps: 1000)
        #expect(try broker.wait { WorkerTests.stage($0) } == .textEncoding)
        var sequences: [UInt64] = []
        while sequences.count < 40, let beat = try broker.heartbeat() {
            if beat.lease == lease { sequences.append(beat.sequence) }
        }
        #expect(sequences.count == 40)
        #expect(sequences == (0..<40).map { (sequences.first ?? 0) + $0 }, "none is left out")
        #expect(worker.script.now.stepsDone == 0)
        // What the broker says is heard meanwhile, too.
        try broker.send(.revoke(LeaseRevocation(lease: lease, reason: .requested)))
        #expect(try broker.cancelled()?.lease == lease)
    }

    @Test func `thousands of jobs leave memory as it was`() throws {
        let broker = try FakeBroker()
        let worker = RunningWorker(broker, StubScript { $0.stepSeconds = 0 })
        #expect(try broker.waitUntilReady())
        var early: UInt64 = 0
        for job in 1...3000 {
            let lease = try broker.grant(job: UInt64(job), steps: 2)
            let result = try broker.completed()
            try #require(result?.lease == lease)
            try broker.acknowledge(lease)
            if job == 1000 { early = ResidentMemory.bytes }
        }
        let growth = Int64(ResidentMemory.bytes) - Int64(early)
        print("resident memory grew by \(growth) bytes over 2000 jobs")
        // The test's own record of messages grows, too.
        #expect(growth < 8 << 20)
        withExtendedLifetime(worker) {}
    }
}
