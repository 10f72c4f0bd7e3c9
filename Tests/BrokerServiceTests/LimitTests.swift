// What one key and one request may take: quotas of keys, the queue's bound, limits of requests.

import Testing
import WireProtocol
import ZeroMQSockets

@testable import BrokerService

@Suite(.serialized) struct LimitTests {
    @Test func aKeyHasItsNumberOfQueuedJobs() throws {
        let ring = try KeyRing()
        let limited = try ring.add("alice", .client, limits: KeyLimits(queuedJobs: 2))
        let bench = try ring.bench()
        let alice = try bench.client(security: limited)
        for id in ["a", "b"] {
            try alice.send(.make(id, detached: true))
            _ = try alice.accepted()
        }
        try alice.send(.make("c"))
        let error = try alice.failure()
        #expect(error.code == .quotaExceeded && error.retryable)
        #expect(error.retryAfterMilliseconds ?? 0 > 0)
        // The same key on another connection is the same account; another key is not.
        let elsewhere = try bench.client(security: limited)
        try elsewhere.send(.make("d"))
        #expect(try elsewhere.failure().code == .quotaExceeded)
        let bob = try bench.client(security: ring.add("bob", .client))
        try bob.send(.make("a", detached: true))
        _ = try bob.accepted()
        // What is known already costs nothing; what has ended makes room.
        try alice.send(.make("a", detached: true))
        #expect(try alice.accepted().alreadyKnown)
        try alice.send(.cancel(CancelRequest(job: .requestID("b"))))
        for _ in 0..<2 {
            guard case .cancelled = try alice.receiveAnswer() else { throw Silence() }
        }
        try alice.send(.make("c", detached: true))
        #expect(try !alice.accepted().alreadyKnown)
    }

    @Test func aKeyHasItsPixelsOfTheHour() throws {
        let ring = try KeyRing()
        let pixels = UInt64(2 * 256 * 256)
        let bench = try ring.bench()
        let alice = try bench.client(
            security: ring.add("alice", .client, limits: KeyLimits(pixelsPerHour: pixels)))
        try alice.send(.make("a", images: 2, detached: true))
        _ = try alice.accepted()
        try alice.send(.make("b"))
        let error = try alice.failure()
        #expect(error.code == .quotaExceeded && error.retryable)
        // Half of the hour's pixels flow back in half an hour.
        let pause = error.retryAfterMilliseconds ?? 0
        #expect((1_700_000...1_801_000).contains(pause), "\(pause)")
        // What never fits is not worth another try.
        try alice.send(.make("c", images: 3))
        let never = try alice.failure()
        #expect(never.code == .quotaExceeded && !never.retryable)
        #expect(never.retryAfterMilliseconds == nil)
    }

    @Test func aFullQueueSaysWhenToComeBack() throws {
        let bench = try Bench { $0.queueLimits.jobs = 5 }
        let client = try bench.client()
        for number in 0..<5 { try client.send(.make("\(number)", detached: true)) }
        for _ in 0..<5 { _ = try client.accepted() }
        try client.send(.make("over"))
        let error = try client.failure()
        #expect(error.code == .queueFull && error.retryable)
        #expect(error.retryAfterMilliseconds ?? 0 > 0)
        let worker = try bench.worker()
        try worker.join()
        try worker.complete(try worker.lease())
        _ = try client.completed()
        try client.send(.make("over"))
        #expect(try !client.accepted().alreadyKnown)
    }

    @Test func requestsAreMeasuredBeforeAnythingIsTakenForThem() throws {
        let bench = try Bench()
        let client = try bench.client()
        func request(_ change: (inout GenerationRequest) -> Void) -> ClientMessage.Request {
            var request = GenerationRequest(text: .prompt("a fox"))
            change(&request)
            return .generate(GenerateRequest(request: request))
        }
        let cases: [(ClientMessage.Request, ErrorCode, String)] = [
            (request { $0.width = 8192 }, .limitExceeded, "generate.request.width"),
            (request { $0.height = .max }, .limitExceeded, "generate.request.height"),
            (request { $0.height = 100 }, .invalidField, "generate.request.height"),
            (
                request {
                    $0.width = 4096
                    $0.height = 4096
                }, .limitExceeded, "generate.request.width"
            ),
            (request { $0.steps = 100_000 }, .limitExceeded, "generate.request.steps"),
            (request { $0.steps = 0 }, .invalidField, "generate.request.steps"),
            (request { $0.imageCount = .max }, .limitExceeded, "generate.request.image_count"),
            (request { $0.guidance = 1e9 }, .limitExceeded, "generate.request.guidance"),
        ]
        for (request, code, field) in cases {
            try client.send(request)
            let error = try client.failure()
            #expect(error.code == code && error.field == field, "\(error)")
            #expect(!error.retryable && !error.sentence.isEmpty)
        }
        // The largest sizes, ten thousand times: refused, and nothing was held for them.
        let before = ProcessMetrics.measure().residentBytes
        let huge = request {
            $0.width = .max
            $0.height = .max
            $0.imageCount = .max
        }
        for _ in 0..<100 {
            for _ in 0..<100 { try client.send(huge) }
            for _ in 0..<100 { #expect(try client.failure().code == .limitExceeded) }
        }
        let growth = ProcessMetrics.measure().residentBytes - before
        #expect(growth < 64 << 20, "\(growth) bytes")
        try client.send(.getStatus)
        guard case .status(let status) = try client.receiveAnswer() else { throw Silence() }
        #expect(status.queued == 0)
    }

    @Test func promptsHaveALength() throws {
        let bench = try Bench()
        let client = try bench.client()
        let longest = String(repeating: "x", count: WireLimits.promptBytes)
        try client.send(.make("fits", prompt: longest, detached: true))
        _ = try client.accepted()
        // One byte more; the library would not write it, so its length is changed in the frame.
        let frame = try ClientMessage(correlation: 7, .make("over", prompt: longest)).encoded()
        let over = try #require(Self.withLongerPrompt(frame, longest))
        _ = try client.socket.send([over])
        let reply = try client.receive()
        guard case .failed(let failed) = reply.reply else { throw Silence() }
        #expect(reply.correlation == 7 && failed.error.code == .limitExceeded)
        #expect(failed.error.field.hasSuffix("prompt"), "\(failed.error.field)")
        try client.send(.listJobs(ListJobsRequest()))
        guard case .jobs(let list) = try client.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.map(\.requestID) == ["fits"])
    }

    /// The frame of a generate request with one more character in its prompt: the lengths of the
    /// three messages around it grow by one, too.
    private static func withLongerPrompt(_ frame: [UInt8], _ prompt: String) -> [UInt8]? {
        let count = prompt.utf8.count
        guard let start = frame.firstRange(of: Array(prompt.utf8))?.lowerBound else { return nil }
        var bytes = frame
        for index in bytes.indices[..<start].dropLast(2).reversed() {
            // Lengths of three bytes that reach to or beyond the prompt's end.
            let (low, middle, high) = (bytes[index], bytes[index + 1], bytes[index + 2])
            guard low & 0x80 != 0, middle & 0x80 != 0, high & 0x80 == 0 else { continue }
            let length = Int(low & 0x7f) | Int(middle & 0x7f) << 7 | Int(high) << 14
            guard length >= count, index + 3 + length >= start + count,
                index + 3 + length <= bytes.count
            else { continue }
            let longer = length + 1
            bytes[index] = UInt8(longer & 0x7f) | 0x80
            bytes[index + 1] = UInt8((longer >> 7) & 0x7f) | 0x80
            bytes[index + 2] = UInt8(longer >> 14)
        }
        bytes.insert(UInt8(ascii: "x"), at: start)
        return bytes
    }
}
