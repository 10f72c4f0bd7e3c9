// A broker on free ports, and clients and workers that speak the protocol over real sockets.

import Foundation
import Testing
import WireProtocol
import ZeroMQSockets

@testable import BrokerService

/// A broker with short periods, and its folder.
final class Bench {
    let folder: String
    let context: ZeroMQContext
    var configuration: BrokerConfiguration
    private(set) var broker: Broker

    init(
        in parent: String = FileManager.default.temporaryDirectory.path,
        _ adjust: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws {
        folder = "\(parent)/turbine-broker-\(UUID().uuidString)"
        var configuration = BrokerConfiguration(dataFolder: folder)
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        configuration.heartbeatMilliseconds = 200
        // A worker of these tests beats only while the test listens to it.
        configuration.missedHeartbeatsAllowed = 150
        configuration.queueLimits.abandonGrace = .milliseconds(300)
        configuration.queueLimits.reclaimGrace = .milliseconds(500)
        adjust(&configuration)
        self.configuration = configuration
        context = try ZeroMQContext()
        broker = try Broker(configuration)
    }

    deinit {
        broker.stop()
        try? broker.wait()
        try? FileManager.default.removeItem(atPath: folder)
        if case .curve(_, let keys) = configuration.security {
            try? FileManager.default.removeItem(atPath: keys)
        }
    }

    /// Ends the broker as a crash would, and starts another on the same store and ports.
    func crash() throws {
        broker.abandon()
        try broker.wait()
        configuration.clientEndpoint = broker.clientEndpoint
        configuration.workerEndpoint = broker.workerEndpoint
        broker = try Broker(configuration)
    }

    func client(
        _ kind: ZeroMQSocket.Kind = .dealer, security: SocketSecurity = .none
    ) throws -> StubClient {
        try StubClient(
            socket(kind, broker.clientEndpoint, security), isRequest: kind == .request)
    }

    func worker(
        _ name: String = "worker", model: String = "hash", security: SocketSecurity = .none
    ) throws -> StubWorker {
        try StubWorker(name: name, model: model, socket(.dealer, broker.workerEndpoint, security))
    }

    func socket(
        _ kind: ZeroMQSocket.Kind, _ endpoint: String, _ security: SocketSecurity = .none,
        receiveHighWaterMark: Int32 = 0
    ) throws -> ZeroMQSocket {
        var options = SocketOptions()
        options.security = security
        options.lingerMilliseconds = 0
        options.maximumFrameBytes = nil
        options.reconnectMilliseconds = 20
        options.sendHighWaterMark = 0
        options.receiveHighWaterMark = receiveHighWaterMark
        let socket = try ZeroMQSocket(kind, in: context, options: options)
        try socket.connect(to: endpoint)
        return socket
    }
}

/// What a message of the wished kind did not come within the time for.
struct Silence: Error {}

extension ZeroMQSocket {
    /// The last frame of the next message.
    func next(seconds: Double) throws -> [UInt8]? {
        var poller = Poller()
        _ = poller.add(self)
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            if let message = try receive() { return message.frames.last }
            _ = try poller.wait(milliseconds: 5)
        } while ContinuousClock.now < end
        return nil
    }
}

/// A client of the wire protocol.
final class StubClient {
    let socket: ZeroMQSocket
    private var last: UInt64 = 0

    init(_ socket: ZeroMQSocket, isRequest: Bool) throws { self.socket = socket }

    @discardableResult
    func send(_ request: ClientMessage.Request) throws -> UInt64 {
        last += 1
        let frame = try ClientMessage(correlation: last, request).encoded()
        while try socket.send([frame]) == .full { usleep(200) }
        return last
    }

    func receive(seconds: Double = 20) throws -> ServerMessage {
        guard let frame = try socket.next(seconds: seconds) else { throw Silence() }
        return try ServerMessage(frame: frame)
    }

    func hearsNothing(seconds: Double = 0.4) throws -> Bool {
        try socket.next(seconds: seconds) == nil
    }

    /// The next reply that is no progress.
    func receiveAnswer(seconds: Double = 20) throws -> ServerMessage.Reply {
        while true {
            let reply = try receive(seconds: seconds).reply
            if case .progress = reply { continue }
            return reply
        }
    }

    func accepted(seconds: Double = 20) throws -> JobAccepted {
        let reply = try receiveAnswer(seconds: seconds)
        guard case .accepted(let accepted) = reply else {
            Issue.record("\(reply)")
            throw Silence()
        }
        return accepted
    }

    func completed(seconds: Double = 20) throws -> JobCompleted {
        let reply = try receiveAnswer(seconds: seconds)
        guard case .completed(let completed) = reply else {
            Issue.record("\(reply)")
            throw Silence()
        }
        return completed
    }

    func failure(seconds: Double = 20) throws -> ServiceError {
        let reply = try receiveAnswer(seconds: seconds)
        guard case .failed(let failed) = reply else {
            Issue.record("\(reply)")
            throw Silence()
        }
        return failed.error
    }
}

extension ClientMessage.Request {
    static func make(
        _ id: String, prompt: String = "a fox", steps: UInt32 = 4, images: UInt32 = 1,
        detached: Bool? = nil, replies: ReplyMode = .unspecified,
        preview: PreviewWish? = nil, deadline: UInt64? = nil
    ) -> ClientMessage.Request {
        .generate(
            GenerateRequest(
                requestID: id,
                request: GenerationRequest(
                    text: .prompt(prompt), width: 256, height: 256, steps: steps,
                    imageCount: images),
                deadlineMilliseconds: deadline, preview: preview, detachOnDisconnect: detached,
                replies: replies))
    }
}

/// A worker of the wire protocol, driven step by step.
final class StubWorker {
    let name: String
    let model: String
    let socket: ZeroMQSocket
    private var sequence: UInt64 = 0
    private var lastBeat = ContinuousClock.now - .seconds(10)
    var held: LeaseReference?
    var steps: UInt64 = 0
    var isSilent = false
    var isDraining = false
    var defaultShape: DefaultShape?

    init(name: String, model: String = "hash", _ socket: ZeroMQSocket) throws {
        self.name = name
        self.model = model
        self.socket = socket
    }

    func send(_ message: WorkerMessage) throws {
        let frame = try message.encoded()
        while try socket.send([frame]) == .full { usleep(200) }
    }

    func register(incarnation: UInt64 = 1) throws {
        try send(
            .register(
                RegisterWorker(
                    name: name, host: "host", processID: 1, version: "1",
                    model: ModelDescription(name: "tiny", hash: model, numericsClass: "f32"),
                    heldLeases: held.map { [$0] } ?? [], incarnation: incarnation,
                    defaultShape: defaultShape)))
    }

    /// Registers, again and again until it is heard, and gets ready.
    func join(incarnation: UInt64 = 1, isReady: Bool = true) throws {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            try register(incarnation: incarnation)
            let isRegistered = try hears(within: 1) { message in
                switch message {
                case .registered: return true
                case .goodbye, .heartbeatReply: return false
                case let other:
                    Issue.record("\(other)")
                    throw Silence()
                }
            }
            guard isRegistered else { continue }
            if isReady { try send(.ready(WorkerReady(warmUpSeconds: 0.1))) }
            return
        }
        throw Silence()
    }

    /// Listens for a message of a kind; the others are passed over.
    func hears(
        within seconds: Double, _ isWanted: (BrokerMessage) throws -> Bool
    ) throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if sequence > 0 || held != nil { try beat() }
            guard let frame = try socket.next(seconds: 0.02) else { continue }
            if try isWanted(try BrokerMessage(frame: frame)) { return true }
        }
        return false
    }

    func beat() throws {
        guard !isSilent, ContinuousClock.now - lastBeat > .milliseconds(100) else { return }
        lastBeat = .now
        sequence += 1
        try send(
            .heartbeat(
                WorkerHeartbeat(
                    sequence: sequence, lease: held, stepCounter: steps, draining: isDraining)))
    }

    /// The next message, with heartbeats meanwhile.
    func receive(seconds: Double = 20) throws -> BrokerMessage {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if sequence > 0 || held != nil { try beat() }
            if let frame = try socket.next(seconds: 0.02) {
                return try BrokerMessage(frame: frame)
            }
        }
        throw Silence()
    }

    /// The next message that is no heartbeat's reply.
    func order(seconds: Double = 20) throws -> BrokerMessage {
        while true {
            let message = try receive(seconds: seconds)
            if case .heartbeatReply = message { continue }
            return message
        }
    }

    func lease(seconds: Double = 20) throws -> LeaseGrant {
        if sequence == 0 { try beat() }
        var message = try order(seconds: seconds)
        // A heartbeat that crossed a revocation is answered with another.
        while case .revoke(let revocation) = message, revocation.lease != held {
            message = try order(seconds: seconds)
        }
        guard case .lease(let grant) = message else {
            Issue.record("\(message)")
            throw Silence()
        }
        held = grant.lease
        steps = 0
        return grant
    }

    func report(_ grant: LeaseGrant, step: UInt32, image: UInt32 = 0) throws {
        steps += 1
        try send(
            .stepReport(
                StepReport(
                    lease: grant.lease, stage: .denoising, step: step,
                    steps: grant.request.steps ?? defaultShape?.steps ?? 4, imageIndex: image,
                    stepSeconds: 0.01,
                    resume: ResumeState(
                        imageIndex: image, step: step, latents: Self.latents(step)),
                    previewPNG: grant.preview == nil ? [] : [137, 80, 78, 71])))
    }

    static func latents(_ step: UInt32) -> [UInt8] {
        [UInt8](repeating: UInt8(step), count: 1000)
    }

    static func image(_ grant: LeaseGrant, _ index: UInt32, bytes: Int = 500) -> GeneratedImage {
        GeneratedImage(
            index: index, seed: (grant.request.seed ?? 0) + UInt64(index), width: 256,
            height: 256, png: [UInt8](repeating: UInt8(index), count: bytes),
            pixelSHA256: [UInt8](repeating: 1, count: 32))
    }

    func complete(_ grant: LeaseGrant, bytes: Int = 500) throws {
        try send(
            .workCompleted(
                WorkCompleted(
                    lease: grant.lease, images: [Self.image(grant, 0, bytes: bytes)],
                    seconds: StageSeconds(denoising: 0.1), imageCount: 1)))
        held = nil
        guard case .acknowledged(let acknowledged) = try order() else { throw Silence() }
        #expect(acknowledged.messageField == 15)
    }
}
