// The size of requests that leave it open: from presets, from what workers tell, and corrected for
// jobs that came before.

import Foundation
import Testing
import WireProtocol

@testable import BrokerService

@Suite(.serialized) struct ShapeTests {
    private static let emoji = DefaultShape(width: 128, height: 128, steps: 24)

    private static func request(
        _ id: String, preset: String? = nil, model: String? = nil, side: UInt32? = nil,
        steps: UInt32? = nil
    ) -> ClientMessage.Request {
        .generate(
            GenerateRequest(
                requestID: id,
                request: GenerationRequest(
                    text: .prompt(id), preset: preset, width: side, height: side, steps: steps,
                    model: model),
                detachOnDisconnect: true))
    }

    /// Steps of all waiting and running jobs, by request.
    private static func steps(_ client: StubClient) throws -> [String: UInt32] {
        try client.send(.listJobs(ListJobsRequest(states: [.queued, .running])))
        guard case .jobs(let list) = try client.receiveAnswer() else { throw Silence() }
        return Dictionary(uniqueKeysWithValues: list.jobs.map { ($0.requestID, $0.steps) })
    }

    @Test func presetsSayWhatIsLeftOpen() throws {
        let bench = try Bench {
            $0.presetShapes["quick"] = .init(width: 512, height: 512, steps: 3, images: 2)
            $0.defaultShape = .init(width: 1024, height: 1024, steps: 40)
        }
        let client = try bench.client()
        for (id, preset, steps) in [
            ("named", "quick", nil), ("bare", nil, nil), ("own", "quick", 7),
        ] as [(String, String?, UInt32?)] {
            try client.send(Self.request(id, preset: preset, steps: steps))
            _ = try client.accepted()
        }
        #expect(try Self.steps(client) == ["named": 6, "bare": 40, "own": 14])
    }

    @Test func jobsThatCameBeforeTheWorkerAreCorrected() throws {
        let bench = try Bench()
        let client = try bench.client()
        for id in ["early", "fixed", "elsewhere"] {
            let model = id == "elsewhere" ? "another" : nil
            try client.send(Self.request(id, model: model, steps: id == "fixed" ? 5 : nil))
            _ = try client.accepted()
        }
        #expect(try Self.steps(client) == ["early": 8, "fixed": 5, "elsewhere": 8])
        let worker = try bench.worker()
        worker.defaultShape = Self.emoji
        try worker.join(isReady: false)
        let expected: [String: UInt32] = ["early": 24, "fixed": 5, "elsewhere": 8]
        #expect(try Self.steps(client) == expected)
        // The same request is the same job, whatever is known now.
        try client.send(Self.request("early"))
        #expect(try client.accepted().alreadyKnown)
        // It is on disk, too.
        try bench.crash()
        let again = try bench.client()
        #expect(try Self.steps(again) == expected)
    }

    @Test func estimatesAreRightForWhatIsLeftOpen() throws {
        let bench = try Bench()
        let client = try bench.client()
        try client.send(Self.request("open"))
        _ = try client.accepted()
        let worker = try bench.worker()
        worker.defaultShape = Self.emoji
        try worker.join()
        let grant = try worker.lease()
        let start = ContinuousClock.now
        for step in 1...Self.emoji.steps {
            usleep(20_000)
            try worker.report(grant, step: step)
        }
        let elapsed = (ContinuousClock.now - start) / .milliseconds(1)
        try worker.complete(grant)
        _ = try client.completed()
        for (id, side, steps) in [("same", 128, 24), ("open again", nil, nil)]
            as [(String, UInt32?, UInt32?)]
        {
            try client.send(Self.request(id, side: side, steps: steps))
            let accepted = try client.accepted()
            let estimate = Double(try #require(accepted.estimatedEndMilliseconds))
            #expect(elapsed / 4 < estimate && estimate < elapsed * 4, "\(estimate) of \(elapsed)")
            try worker.complete(try worker.lease())
            _ = try client.completed()
        }
    }

    @Test func theWordOfTheWorkerThatIsThereCounts() throws {
        let bench = try Bench()
        let client = try bench.client()
        let small = try bench.worker("small", model: "small")
        small.defaultShape = Self.emoji
        try small.join(isReady: false)
        var large: StubWorker? = try bench.worker("large", model: "large")
        large?.defaultShape = DefaultShape(width: 512, height: 512, steps: 9)
        try large?.join(isReady: false)
        for (id, model) in [("any", nil), ("large", "large")] as [(String, String?)] {
            try client.send(Self.request(id, model: model))
            _ = try client.accepted()
        }
        #expect(try Self.steps(client) == ["any": 24, "large": 9])
        // What no request could ask for is passed over.
        large = nil
        let odd = try bench.worker("odd", model: "large")
        odd.defaultShape = DefaultShape(width: 1 << 20, height: 1 << 20, steps: 9)
        try odd.join(isReady: false)
        try client.send(Self.request("large again", model: "large"))
        _ = try client.accepted()
        #expect(try Self.steps(client)["large again"] == 9)
    }
}
