// Frames that are no messages, in great numbers: no crash, no growth, and good clients served
// meanwhile. `TURBINE_HOSTILE_FRAMES=1000000` in the environment is the full run.

import Foundation
import Testing
import WireProtocol
import ZeroMQSockets

@testable import BrokerService

@Suite(.serialized) struct HostilePeerTests {
    /// Frames of a run, of all kinds together.
    private static let frameCount =
        ProcessInfo.processInfo.environment["TURBINE_HOSTILE_FRAMES"].flatMap { Int($0) } ?? 20_000
    private static let batch = 500

    @Test func badFramesHurtNobody() throws {
        let bench = try Bench {
            $0.queueLimits.jobs = 500
            $0.queueLimits.results = 100
            $0.queueLimits.tombstones = 100
        }
        let worker = try bench.worker("good", model: "good")
        try worker.join()
        let good = try bench.client()
        var source = HostileFrames(seed: 11)
        var attackers = [try Attacker(bench, isWorker: false), try Attacker(bench, isWorker: true)]
        var settled: Int64?
        var served = 0
        var kinds: Set<HostileFrames.Kind> = []
        for round in 0..<(Self.frameCount / Self.batch) {
            let isWorker = round % 4 == 3
            for _ in 0..<Self.batch {
                let kind = source.kind()
                kinds.insert(kind)
                let frames = source.frames(kind, isWorker: isWorker)
                try attackers[isWorker ? 1 : 0].send(frames)
            }
            try attackers[isWorker ? 1 : 0].settle()
            try worker.beat()
            if round % 10 == 0 {
                // A connection of its own for the next attacks, as hostile peers come and go.
                attackers[0] = try Attacker(bench, isWorker: false)
                attackers[1] = try Attacker(bench, isWorker: true)
                Self.connectWithNoise(to: bench.broker.clientEndpoint, &source)
                Self.connectWithNoise(to: bench.broker.workerEndpoint, &source)
                try serve(good, worker, "good \(round)")
                served += 1
            }
            if round == Self.frameCount / Self.batch / 10 {
                settled = ProcessMetrics.measure().residentBytes
            }
        }
        try serve(good, worker, "last")
        #expect(kinds.count == HostileFrames.Kind.allCases.count && served > 0)
        let growth = ProcessMetrics.measure().residentBytes - (try #require(settled))
        print("\(Self.frameCount) hostile frames: resident memory grew by \(growth >> 10) KiB")
        #expect(growth < 48 << 20, "\(growth) bytes")
    }

    @Test func badFramesAreCounted() async throws {
        let bench = try Bench()
        let client = try bench.client()
        for _ in 0..<100 { _ = try client.socket.send([[0xff, 0xff, 0xff]]) }
        for _ in 0..<100 { #expect(try client.failure().code == .invalidMessage) }
        let status = try #require(await bench.broker.board.fresh(within: .seconds(20)))
        #expect(status.sockets.malformed == 100 && status.sockets.received == 100)
    }

    @Test func aFrameOverTheLimitClosesTheConnection() throws {
        let bench = try Bench()
        let client = try bench.client()
        let before = ProcessMetrics.measure().residentBytes
        for _ in 0..<50 {
            _ = try client.socket.send([[UInt8](repeating: 0, count: 8 << 20)])
            try client.send(.getStatus)
        }
        // ZeroMQ connects again; sooner or later a whole request gets through.
        let isServed = try eventually {
            try client.send(.getStatus)
            guard let frame = try client.socket.next(seconds: 1) else { return false as Bool? }
            if case .status = try ServerMessage(frame: frame).reply { return true }
            return nil
        }
        #expect(isServed != nil)
        let growth = ProcessMetrics.measure().residentBytes - before
        #expect(growth < 512 << 20, "the sender's own copies, and no more: \(growth) bytes")
        let other = try bench.client()
        try other.send(.getStatus)
        guard case .status = try other.receiveAnswer() else { throw Silence() }
    }

    /// A whole job of the good client, in the middle of it all. It asks for a model of its own, but
    /// hostile requests that happen to be valid come to the worker, too, and are cancelled again.
    private func serve(_ client: StubClient, _ worker: StubWorker, _ id: String) throws {
        let wish = GenerationRequest(
            text: .prompt(id), width: 256, height: 256, steps: 4, model: "good")
        let request = ClientMessage.Request.generate(
            GenerateRequest(requestID: id, request: wish, priority: .high))
        try client.send(request)
        let isServed = try eventually(seconds: 60) {
            try worker.beat()
            while let frame = try worker.socket.next(seconds: 0.02) {
                guard case .lease(let grant) = try BrokerMessage(frame: frame) else { continue }
                let images = (0..<(grant.request.imageCount ?? 1)).map {
                    StubWorker.image(grant, $0)
                }
                try worker.send(
                    .workCompleted(WorkCompleted(lease: grant.lease, images: images)))
            }
            guard let frame = try client.socket.next(seconds: 0.02) else { return Bool?.none }
            switch try ServerMessage(frame: frame).reply {
            case .completed(let completed): return completed.requestID == id
            case .failed(let failed) where failed.error.code == .queueFull:
                try client.send(request)
                return nil
            case .accepted, .progress: return nil
            case let other:
                Issue.record("\(other)")
                return false
            }
        }
        #expect(isServed == true, "\(id)")
    }

    /// A TCP connection that speaks no ZMTP.
    private static func connectWithNoise(to endpoint: String, _ source: inout HostileFrames) {
        guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else { return }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, size) == 0
            }
        }
        guard isConnected else { return }
        var bytes = source.bytes(source.below(4096))
        if source.below(2) == 0 { bytes = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3] + bytes }
        _ = write(descriptor, bytes, bytes.count)
    }
}

/// A peer that sends what it likes and reads what it gets.
private final class Attacker {
    private let socket: ZeroMQSocket
    private let isWorker: Bool
    private var marks: UInt64 = 1 << 60

    init(_ bench: Bench, isWorker: Bool) throws {
        self.isWorker = isWorker
        socket = try bench.socket(
            .dealer, isWorker ? bench.broker.workerEndpoint : bench.broker.clientEndpoint)
    }

    func send(_ frames: [[UInt8]]) throws {
        while try socket.send(frames) == .full { usleep(200) }
    }

    /// Reads until the broker has got through everything so far; frames over the limit end the
    /// connection, with what came after them, so the question is asked again.
    func settle() throws {
        for _ in 0..<200 {
            marks += 1
            let question =
                isWorker
                ? try WorkerMessage.heartbeat(WorkerHeartbeat(sequence: marks)).encoded()
                : try ClientMessage(correlation: marks, .getStatus).encoded()
            try send([question])
            while let frame = try socket.next(seconds: 0.5) {
                if isAnswer(frame) { return }
            }
        }
        throw Silence()
    }

    private func isAnswer(_ frame: [UInt8]) -> Bool {
        guard isWorker else { return (try? ServerMessage(frame: frame))?.correlation == marks }
        guard case .heartbeatReply(let reply)? = try? BrokerMessage(frame: frame) else {
            return false
        }
        return reply.sequence == marks
    }
}

/// Seeded frames: random, truncated, changed in places, too large, too many, valid but senseless.
struct HostileFrames {
    enum Kind: CaseIterable {
        case random, truncated, mutated, oversized, manyParts, empty, repeated, foreign
    }

    private var state: UInt64
    private let clientMessages: [[UInt8]]
    private let workerMessages: [[UInt8]]

    init(seed: UInt64) {
        state = seed
        let lease = LeaseReference(jobID: 3, attempt: 1)
        let requests: [ClientMessage.Request] = [
            .make("hostile", images: 2, preview: PreviewWish(everySteps: 1), deadline: 900),
            .getStatus, .listJobs(ListJobsRequest(states: [.queued], limit: 9)),
            .attach(AttachRequest(job: .requestID("hostile"))),
            .cancel(CancelRequest(job: .jobID(2))), .inspectQuarantine(.init(jobID: 1)),
        ]
        clientMessages = requests.compactMap { try? ClientMessage(correlation: 5, $0).encoded() }
        let latents = ResumeState(imageIndex: 0, step: 2, latents: [1, 2, 3, 4])
        let image = GeneratedImage(
            index: 0, seed: 1, width: 64, height: 64, png: [1, 2, 3],
            pixelSHA256: [UInt8](repeating: 1, count: 32))
        let reports: [WorkerMessage] = [
            .register(
                RegisterWorker(
                    name: "hostile", host: "h", processID: 1, version: "1",
                    model: ModelDescription(name: "n", hash: "h", numericsClass: "c"),
                    heldLeases: [lease], incarnation: 4)),
            .ready(WorkerReady(warmUpSeconds: 1)),
            .heartbeat(WorkerHeartbeat(sequence: 9, lease: lease, stepCounter: 2)),
            .stepReport(
                StepReport(
                    lease: lease, stage: .denoising, step: 2, steps: 4, imageIndex: 0,
                    stepSeconds: 0.1, resume: latents, previewPNG: [1])),
            .imageFinished(ImageFinished(lease: lease, image: image)),
            .workCompleted(WorkCompleted(lease: lease, images: [image], imageCount: 1)),
            .handBack(HandBack(lease: lease, resume: latents)),
        ]
        workerMessages = reports.compactMap { try? $0.encoded() }
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Oversized frames cost a connection each, so they are rarer.
    mutating func kind() -> Kind {
        let kinds = Kind.allCases.filter { $0 != .oversized }
        return below(200) == 0 ? .oversized : kinds[below(kinds.count)]
    }

    private mutating func message(_ isWorker: Bool) -> [UInt8] {
        let messages = isWorker ? workerMessages : clientMessages
        return messages[below(messages.count)]
    }

    /// The frames of one message of a kind.
    mutating func frames(_ kind: Kind, isWorker: Bool) -> [[UInt8]] {
        switch kind {
        case .random: return [bytes(1 + below(300))]
        case .truncated:
            let whole = message(isWorker)
            return [Array(whole.prefix(below(whole.count)))]
        case .mutated:
            var frame = message(isWorker)
            for _ in 0...below(4) { frame[below(frame.count)] = UInt8(truncatingIfNeeded: next()) }
            return [frame]
        case .oversized:
            // Workers may send 256 MiB, so theirs is only large.
            return [[UInt8](repeating: 0xff, count: (1 << 20) + 1 + below(1 << 16))]
        case .manyParts: return (0...(1 + below(40))).map { _ in bytes(below(20)) }
        case .empty: return [[]]
        case .repeated: return [message(isWorker) + message(isWorker)]
        case .foreign: return [message(!isWorker)]
        }
    }
}
