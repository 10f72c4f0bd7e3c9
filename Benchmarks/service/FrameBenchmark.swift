// A million frames that are no messages: does the broker stay up, as small as before, and quick for
// a client that behaves?

import ArgumentParser
import Foundation
import WireProtocol
import ZeroMQSockets

struct FrameBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frames",
        abstract: "Malformed, truncated, oversized and random frames, and a good client meanwhile.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Bad frames.")
    var count = 1_000_000
    @Option var seed: UInt64 = 1

    func run() throws {
        let count = options.smoke ? 3000 : count
        let broker = try BenchmarkBroker(below: options.folder, options: ["--kept", "500"])
        let good = try GoodClient(broker.clientEndpoint)
        let quiet = try good.measure { Thread.sleep(forTimeInterval: options.smoke ? 0.2 : 5) }
        var generator = SeededGenerator(seed: seed)
        var digest = Digest()
        // A first part fills every buffer that has a bound.
        let attack = try Attack(broker, frames: MalformedFrames())
        try attack.run(count / 10, &generator, &digest)
        let before = try broker.process.residentBytes()
        let watch = Stopwatch()
        var halfway = 0.0
        let busy = try good.measure {
            try attack.run(count / 2 - count / 10, &generator, &digest)
            halfway = try broker.process.residentBytes()
            try attack.run(count - count / 2, &generator, &digest)
        }
        let seconds = watch.seconds
        let after = try broker.process.residentBytes()
        let status = try BenchmarkClient(broker.clientEndpoint).status()
        guard broker.process.isRunning, status.accepting else {
            throw BenchmarkFailure("the broker has not survived")
        }
        printTable(
            ["\(count) bad frames", ""],
            [
                ["frames a second", format(Double(count - count / 10) / seconds, 0)],
                ["oversized ones among them", "\(attack.oversized)"],
                ["replies read", "\(attack.replies)"],
                [
                    "MiB resident after a tenth, a half, and all",
                    [before, halfway, after].map(mebibytes).joined(separator: ", "),
                ],
                [
                    "good client's submission, median ms, before and meanwhile",
                    both(quiet.median, busy.median, milliseconds),
                ],
                [
                    "… 99th percentile",
                    both(quiet.quantile(0.99), busy.quantile(0.99), milliseconds),
                ],
                ["… count", "\(quiet.count), \(busy.count)"],
            ])
        digest.printResult("frames")
    }

    private func both(_ first: Double, _ second: Double, _ format: (Double) -> String) -> String {
        format(first) + ", " + format(second)
    }
}

/// Sockets that send bad frames to both of the broker's sockets.
private final class Attack {
    private(set) var oversized = 0
    private(set) var replies = 0
    private let broker: BenchmarkBroker
    private let frames: MalformedFrames
    private let context: ZeroMQContext
    /// Two clients, of which one never reads its replies until the end, and a worker.
    private let clients: [ZeroMQSocket]
    private let worker: ZeroMQSocket

    init(_ broker: BenchmarkBroker, frames: MalformedFrames) throws {
        self.broker = broker
        self.frames = frames
        context = try ZeroMQContext()
        clients = [
            try Self.socket(broker.clientEndpoint, context),
            try Self.socket(broker.clientEndpoint, context),
        ]
        worker = try Self.socket(broker.workerEndpoint, context)
    }

    private static func socket(
        _ endpoint: String, _ context: ZeroMQContext
    ) throws -> ZeroMQSocket {
        var options = SocketOptions()
        options.lingerMilliseconds = 0
        options.maximumFrameBytes = nil
        options.sendHighWaterMark = 1000
        let socket = try ZeroMQSocket(.dealer, in: context, options: options)
        try socket.connect(to: endpoint)
        return socket
    }

    /// Sends so many frames, and returns when the broker has read all of them.
    func run(
        _ count: Int, _ generator: inout SeededGenerator, _ digest: inout Digest
    ) throws {
        for number in 0..<count {
            if number % 5000 == 4999 {
                try sendOversized(number)
                digest.add("oversized")
                continue
            }
            let isWorker = number % 4 == 3
            let message = frames.next(forWorker: isWorker, using: &generator)
            digest.add(message.reduce(0) { $0 &* 31 &+ Self.sum($1) })
            let target = isWorker ? worker : clients[number % 4 == 2 ? 1 : 0]
            try send(message, target)
            if number % 16 == 0 { try readReplies() }
        }
        try settle()
    }

    private static func sum(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(UInt64(bytes.count)) { $0 &* 31 &+ UInt64($1) }
    }

    private func send(_ message: [[UInt8]], _ socket: ZeroMQSocket) throws {
        let watch = Stopwatch()
        while try socket.send(message) != .sent {
            guard broker.process.isRunning, watch.seconds < 30 else {
                throw BenchmarkFailure("the broker takes no more frames")
            }
            try readReplies()
            usleep(200)
        }
    }

    private func readReplies() throws {
        for socket in [clients[0], worker] {
            while try socket.receive() != nil { replies += 1 }
        }
    }

    /// A frame over the limit closes its connection, so it gets one of its own.
    private func sendOversized(_ number: Int) throws {
        let toWorkers = number % 2 == 0
        let socket = try Self.socket(
            toWorkers ? broker.workerEndpoint : broker.clientEndpoint, context)
        _ = try socket.send([[UInt8](repeating: 0x0a, count: (1 << 20) + 1)])
        oversized += 1
        usleep(2000)
    }

    /// Waits until the sockets' last frames have been read: what is asked now is answered after
    /// them.
    private func settle() throws {
        for socket in clients {
            try repeatUntilAnswered(
                socket, try ClientMessage(correlation: .max, .getStatus).encoded()
            ) { (try? ServerMessage(frame: $0))?.correlation == .max }
        }
        let beat = WorkerMessage.heartbeat(WorkerHeartbeat(sequence: .max))
        try repeatUntilAnswered(worker, try beat.encoded()) {
            (try? BrokerMessage(frame: $0))
                == .heartbeatReply(HeartbeatReply(sequence: .max))
        }
    }

    private func repeatUntilAnswered(
        _ socket: ZeroMQSocket, _ frame: [UInt8], isAnswer: ([UInt8]) -> Bool
    ) throws {
        let watch = Stopwatch()
        var nextRequest = 0.0
        while watch.seconds < 60 {
            if watch.seconds >= nextRequest {
                nextRequest += 1
                try send([frame], socket)
            }
            while let message = try socket.receive() {
                replies += 1
                if let frame = message.frames.last, isAnswer(frame) { return }
            }
            usleep(500)
        }
        throw BenchmarkFailure("the broker has not answered for a minute")
    }
}
