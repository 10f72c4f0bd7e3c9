// A worker of the wire protocol without an engine, for what needs to see each lease: it takes one
// job at a time and ends it when told to.

import Foundation
import WireProtocol
import ZeroMQSockets

final class BenchmarkWorker {
    private let socket: ZeroMQSocket
    private var poller = Poller()
    private var sequence: UInt64 = 0
    private var nextBeat = ContinuousClock.now
    private let name: String
    private(set) var held: LeaseGrant?

    /// Connects, registers and gets ready.
    init(_ endpoint: String, name: String) throws {
        var options = SocketOptions()
        options.maximumFrameBytes = nil
        socket = try ZeroMQSocket(.dealer, in: try ZeroMQContext(), options: options)
        try socket.connect(to: endpoint)
        _ = poller.add(socket)
        self.name = name
        let model = ModelDescription(name: "stub", hash: "stub", numericsClass: "stub")
        try send(.register(RegisterWorker(name: name, model: model, incarnation: 1)))
        guard case .registered = try receive(seconds: 10) else {
            throw BenchmarkFailure("the worker was not registered")
        }
        try send(.ready(WorkerReady(warmUpSeconds: 0.1)))
    }

    /// The next lease.
    func lease(seconds: Double = 30) throws -> LeaseGrant {
        while true {
            guard let message = try receive(seconds: seconds) else {
                throw BenchmarkFailure("no lease came within \(seconds) s")
            }
            if case .lease(let grant) = message {
                held = grant
                return grant
            }
        }
    }

    /// Ends the job at work.
    func complete() throws {
        guard let grant = held else { throw BenchmarkFailure("there is no job to complete") }
        held = nil
        let image = GeneratedImage(
            seed: grant.request.seed ?? 0, width: 512, height: 512,
            png: [UInt8](repeating: 1, count: 1024), pixelSHA256: [UInt8](repeating: 1, count: 32))
        try send(
            .workCompleted(
                WorkCompleted(
                    lease: grant.lease, images: [image], seconds: StageSeconds(), imageCount: 1)))
    }

    /// Says goodbye, so that the broker gives it nothing more.
    func leave() throws { try send(.goodbye(Goodbye(reason: "done"))) }

    /// The next message that is no heartbeat's reply; heartbeats go out meanwhile.
    private func receive(seconds: Double) throws -> BrokerMessage? {
        let watch = Stopwatch()
        while watch.seconds < seconds {
            try beat()
            if let frame = try socket.receive()?.frames.last {
                let message = try BrokerMessage(frame: frame)
                if case .heartbeatReply = message { continue }
                return message
            }
            _ = try poller.wait(milliseconds: 100)
        }
        return nil
    }

    /// Sends a heartbeat if one is due.
    func beat() throws {
        guard ContinuousClock.now >= nextBeat else { return }
        nextBeat = .now + .milliseconds(500)
        sequence += 1
        try send(.heartbeat(WorkerHeartbeat(sequence: sequence, lease: held?.lease)))
    }

    private func send(_ message: WorkerMessage) throws {
        guard try socket.send([try message.encoded()]) == .sent else {
            throw BenchmarkFailure("the library took no message of the worker")
        }
    }
}
