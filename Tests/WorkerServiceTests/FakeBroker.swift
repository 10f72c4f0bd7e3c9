// A broker that says what a test tells it to, over real sockets.

import Foundation
import Synchronization
import WireProtocol
import ZeroMQSockets

@testable import WorkerService

/// Bound to a free port; used on the test's thread.
final class FakeBroker {
    let router: RouterSocket
    let endpoint: String
    private(set) var route: Route?
    /// Everything received, with the time.
    private(set) var received: [(time: ContinuousClock.Instant, message: WorkerMessage)] = []
    var answersHeartbeats = true

    init(endpoint: String = "tcp://127.0.0.1:*") throws {
        var options = SocketOptions()
        options.maximumFrameBytes = nil
        options.lingerMilliseconds = 0
        router = try RouterSocket(in: try ZeroMQContext(), options: options)
        try router.socket.bind(to: endpoint)
        self.endpoint = try router.socket.boundEndpoint()
    }

    func send(_ message: BrokerMessage) throws {
        try send(frame: try message.encoded())
    }

    func send(frame: [UInt8]) throws {
        if let route { _ = try router.send(frame, to: route) }
    }

    /// The next message for which `pick` gives a value; answers heartbeats on the way.
    func wait<Value>(
        seconds: Double = 60, for pick: (WorkerMessage) -> Value?
    ) throws -> Value? {
        var poller = Poller()
        _ = poller.add(router.socket)
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            guard let message = try router.receive() else {
                _ = try poller.wait(milliseconds: 5)
                continue
            }
            guard let body = message.body else { continue }
            route = message.route
            let decoded = try WorkerMessage(frame: body)
            received.append((.now, decoded))
            if case .heartbeat(let beat) = decoded, answersHeartbeats {
                try send(.heartbeatReply(HeartbeatReply(sequence: beat.sequence)))
            }
            if let value = pick(decoded) { return value }
        }
        return nil
    }

    /// Waits for a registration and confirms it.
    ///
    /// Many missed heartbeats are allowed unless the loss of the broker is what is tried: it
    /// answers only while the test listens.
    @discardableResult
    func register(
        missedHeartbeats: UInt32 = 100, revoked: [LeaseReference] = [], seconds: Double = 60
    ) throws -> RegisterWorker? {
        let registration = try wait(seconds: seconds) { message in
            if case .register(let value) = message { value } else { nil }
        }
        guard let registration else { return nil }
        try send(
            .registered(
                WorkerRegistered(
                    heartbeatIntervalMilliseconds: 100,
                    missedHeartbeatsAllowed: missedHeartbeats, revokedLeases: revoked)))
        return registration
    }

    func waitUntilReady(missedHeartbeats: UInt32 = 100) throws -> Bool {
        try register(missedHeartbeats: missedHeartbeats)
        return try wait { if case .ready = $0 { true } else { nil } } ?? false
    }

    func heartbeat() throws -> WorkerHeartbeat? {
        try wait { if case .heartbeat(let value) = $0 { value } else { nil } }
    }

    func grant(
        job: UInt64 = 1, attempt: UInt32 = 1, prompt: String = "a fox", steps: UInt32 = 4,
        images: UInt32 = 1, resume: ResumeState? = nil
    ) throws -> LeaseReference {
        let lease = LeaseReference(jobID: job, attempt: attempt)
        let request = GenerationRequest(
            text: .prompt(prompt), steps: steps, imageCount: images)
        try send(.lease(LeaseGrant(lease: lease, request: request, resume: resume)))
        return lease
    }

    func acknowledge(_ lease: LeaseReference, field: UInt32 = 15, image: UInt32 = 0) throws {
        try send(
            .acknowledged(LeaseAcknowledged(lease: lease, messageField: field, imageIndex: image)))
    }

    func step(atLeast number: UInt32 = 1) throws -> StepReport? {
        try wait { message in
            if case .stepReport(let value) = message, value.step >= number { value } else { nil }
        }
    }

    func completed(seconds: Double = 60) throws -> WorkCompleted? {
        try wait(seconds: seconds) {
            if case .workCompleted(let value) = $0 { value } else { nil }
        }
    }

    func handBack(seconds: Double = 5) throws -> HandBack? {
        try wait(seconds: seconds) { if case .handBack(let value) = $0 { value } else { nil } }
    }

    func cancelled() throws -> WorkCancelled? {
        try wait { if case .workCancelled(let value) = $0 { value } else { nil } }
    }
}

/// A worker with a stub, running on its own threads until the test is over.
final class RunningWorker {
    private final class Shared: Sendable {
        let stop = Atomic<Bool>(false)
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        let log = Mutex<[String]>([])
    }

    private let shared = Shared()
    let script: StubScript

    init(_ broker: FakeBroker, _ script: StubScript = StubScript(), grace: Duration = .seconds(5)) {
        self.script = script
        var options = WorkerOptions(broker: broker.endpoint, name: "worker", grace: grace)
        options.resultPatience = .seconds(1)
        let worker = Worker(
            options: options, isStopRequested: { [shared] in shared.stop.load(ordering: .relaxed) },
            log: { [shared] line in shared.log.withLock { $0.append(line) } },
            makeGenerator: { StubGenerator(script) })
        let shared = shared
        Thread {
            let result = Result { try worker.run() }
            shared.outcome.withLock { $0 = result }
        }.start()
    }

    deinit { stop() }

    func stop() { shared.stop.store(true, ordering: .relaxed) }

    var log: [String] { shared.log.withLock { $0 } }

    /// The end of `run`; nil if it does not come.
    func outcome(seconds: Double = 60) -> Result<Void, any Error>? {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if let result = shared.outcome.withLock({ $0 }) { return result }
            usleep(5000)
        }
        return nil
    }
}
