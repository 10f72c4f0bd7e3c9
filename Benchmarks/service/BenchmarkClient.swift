// A client of the wire protocol: a DEALER that pipelines, and checks what it gets.

import Foundation
import WireProtocol
import ZeroMQSockets

final class BenchmarkClient {
    let socket: ZeroMQSocket
    private var poller = Poller()
    private var lastCorrelation: UInt64 = 0

    /// Connects, in `context` or one of its own.
    init(_ endpoint: String, in context: ZeroMQContext? = nil) throws {
        var options = SocketOptions()
        options.lingerMilliseconds = 0
        options.maximumFrameBytes = nil
        options.reconnectMilliseconds = 5
        options.maximumReconnectMilliseconds = 5
        options.sendHighWaterMark = 0
        options.receiveHighWaterMark = 0
        socket = try ZeroMQSocket(.dealer, in: try context ?? ZeroMQContext(), options: options)
        try socket.connect(to: endpoint)
        _ = poller.add(socket)
    }

    /// Sends a request; returns its correlation.
    @discardableResult
    func send(_ request: ClientMessage.Request) throws -> UInt64 {
        lastCorrelation += 1
        try send(frame: try ClientMessage(correlation: lastCorrelation, request).encoded())
        return lastCorrelation
    }

    func send(frame: [UInt8]) throws {
        guard try socket.send([frame]) == .sent else {
            throw BenchmarkFailure("the library took no message")
        }
    }

    /// The next frame; nil if none comes in time.
    func receiveFrame(milliseconds: Int = 30_000) throws -> [UInt8]? {
        let watch = Stopwatch()
        while true {
            if let message = try socket.receive() { return message.frames.last }
            let left = milliseconds - Int(watch.seconds * 1e3)
            if left <= 0 { return nil }
            _ = try poller.wait(milliseconds: left)
        }
    }

    /// The next message.
    func receive() throws -> ServerMessage {
        guard let frame = try receiveFrame() else {
            throw BenchmarkFailure("the broker has been silent for 30 s")
        }
        return try ServerMessage(frame: frame)
    }

    /// Sends a request and returns the first reply to it, past others.
    func ask(_ request: ClientMessage.Request) throws -> ServerMessage.Reply {
        let correlation = try send(request)
        while true {
            let message = try receive()
            if message.correlation == correlation { return message.reply }
        }
    }

    /// The state of the service.
    func status() throws -> ServiceStatus {
        guard case .status(let status) = try ask(.getStatus) else {
            throw BenchmarkFailure("the broker told no status")
        }
        return status
    }

    /// The numbers of all jobs that the broker knows, ended ones included.
    func knownJobs() throws -> Set<UInt64> {
        var known: Set<UInt64> = []
        var last: UInt64 = 0
        while true {
            let page = ListJobsRequest(limit: 1000, afterJobID: last, allClients: true)
            guard case .jobs(let list) = try ask(.listJobs(page)) else {
                throw BenchmarkFailure("the broker listed no jobs")
            }
            guard let greatest = list.jobs.map(\.jobID).max(), greatest > last else { return known }
            known.formUnion(list.jobs.map(\.jobID))
            last = greatest
        }
    }

    /// Sends frames with at most `window` of them unanswered; returns the replies as they came.
    func exchange(_ frames: [[UInt8]], window: Int) throws -> [[UInt8]] {
        var replies: [[UInt8]] = []
        replies.reserveCapacity(frames.count)
        var sent = 0
        while replies.count < frames.count {
            while sent < frames.count, sent - replies.count < window {
                try send(frame: frames[sent])
                sent += 1
            }
            guard let reply = try receiveFrame() else {
                throw BenchmarkFailure("\(replies.count) of \(sent) requests were answered")
            }
            replies.append(reply)
            while let message = try socket.receive() {
                if let frame = message.frames.last { replies.append(frame) }
            }
        }
        return replies
    }
}

extension GenerateRequest {
    /// A request of ordinary size; the number makes it another one.
    static func benchmark(
        _ number: Int, steps: UInt32 = 8, isDetached: Bool = true, replies: ReplyMode = .accepted
    ) -> GenerateRequest {
        var generator = SeededGenerator(seed: UInt64(number))
        let id = UUID.random(using: &generator).uuidString
        return GenerateRequest(
            requestID: id,
            request: GenerationRequest(
                text: .prompt("a red fox in the snow, morning light, picture number \(number)"),
                width: 512, height: 512, steps: steps, seed: UInt64(number)),
            detachOnDisconnect: isDetached, replies: replies)
    }
}

/// Frames of `benchmark` requests, with their numbers as correlations.
func submissionFrames(_ numbers: Range<Int>) throws -> [[UInt8]] {
    try numbers.map {
        try ClientMessage(correlation: UInt64($0), .generate(.benchmark($0))).encoded()
    }
}

/// The job ids of replies that must all be `accepted`.
func acceptedJobs(_ replies: [[UInt8]]) throws -> [UInt64] {
    try replies.map { frame in
        guard case .accepted(let accepted) = try ServerMessage(frame: frame).reply,
            accepted.jobID > 0, !accepted.alreadyKnown
        else { throw BenchmarkFailure("a submission was not accepted") }
        return accepted.jobID
    }
}

extension UUID {
    fileprivate static func random(using generator: inout SeededGenerator) -> UUID {
        let (high, low) = (generator.next(), generator.next())
        func byte(_ number: UInt64, _ place: UInt64) -> UInt8 {
            UInt8(truncatingIfNeeded: number >> (8 * place))
        }
        return UUID(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4),
                byte(high, 5), byte(high, 6), byte(high, 7), byte(low, 0), byte(low, 1),
                byte(low, 2), byte(low, 3), byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }
}
