// Who goes next and where: models, priorities with ageing, fair turns between clients.

import Foundation
import Testing
import WireProtocol
import ZeroMQSockets

@testable import BrokerService

@Suite(.serialized) struct DispatchTests {
    private static func request(
        _ id: String, model: String? = nil, priority: JobPriority = .normal
    ) -> ClientMessage.Request {
        .generate(
            GenerateRequest(
                requestID: id,
                request: GenerationRequest(
                    text: .prompt(id), width: 256, height: 256, steps: 4, model: model),
                priority: priority, detachOnDisconnect: true, replies: .accepted))
    }

    /// Leases and completes so many jobs; returns their prompts in order.
    private static func work(_ worker: StubWorker, jobs: Int) throws -> [String] {
        try (0..<jobs).map { _ in
            let grant = try worker.lease()
            try worker.complete(grant)
            guard case .prompt(let prompt) = grant.request.text else { throw Silence() }
            return prompt
        }
    }

    @Test func aModelThatIsAskedForIsTheOneThatDraws() throws {
        let bench = try Bench()
        let client = try bench.client()
        let one = try bench.worker("one", model: "hash-1")
        try one.join()
        try client.send(Self.request("elsewhere", model: "hash-2"))
        let held = try client.accepted()
        #expect(held.state == .queued && held.hold == .modelNotLoaded)
        #expect(held.estimatedStartMilliseconds == nil && held.estimatedEndMilliseconds == nil)
        try client.send(Self.request("anywhere"))
        #expect(try client.accepted().hold == .unspecified)
        try client.send(.listJobs(ListJobsRequest(states: [.queued])))
        guard case .jobs(let list) = try client.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.map(\.jobID) == [held.jobID])
        #expect(list.jobs.map(\.hold) == [.modelNotLoaded])
        #expect(try Self.work(one, jobs: 1) == ["anywhere"])
        let idle = try one.hears(within: 0.5) { if case .lease = $0 { true } else { false } }
        #expect(!idle, "no other model's job")
        let two = try bench.worker("two", model: "hash-2")
        try two.join()
        #expect(try Self.work(two, jobs: 1) == ["elsewhere"])
        // The name does as well as the hash.
        try client.send(Self.request("by name", model: "tiny"))
        _ = try client.accepted()
        let isTaken = try eventually {
            for worker in [one, two] {
                let hasLease = try worker.hears(within: 0.1) { message in
                    if case .lease(let grant) = message {
                        worker.held = grant.lease
                        return true
                    }
                    return false
                }
                if hasLease { return true }
            }
            return nil
        }
        #expect(isTaken == true)
    }

    @Test func prioritiesGoFirstUntilOthersAreOverdue() throws {
        let bench = try Bench {
            $0.queueLimits.overdueAfter = [.seconds(3600), .seconds(3600), .seconds(1)]
        }
        let client = try bench.client()
        try client.send(Self.request("old", priority: .low))
        _ = try client.accepted()
        usleep(1_100_000)
        for id in ["n1", "n2"] { try client.send(Self.request(id)) }
        for id in ["h1", "h2", "h3", "h4"] { try client.send(Self.request(id, priority: .high)) }
        for _ in 0..<6 { _ = try client.accepted() }
        let worker = try bench.worker()
        try worker.join()
        let order = try Self.work(worker, jobs: 7)
        // Passed over three times, then it is the old one's turn.
        #expect(order == ["h1", "h2", "h3", "old", "h4", "n1", "n2"])
    }

    @Test func aFloodByOneClientLeavesTheOthersTheirTurn() throws {
        let ring = try KeyRing()
        let bench = try ring.bench()
        let alice = try bench.client(security: ring.add("alice", .client))
        let bob = try bench.client(security: ring.add("bob", .client))
        for number in 0..<500 { try alice.send(Self.request("flood \(number)")) }
        for _ in 0..<500 { _ = try alice.accepted() }
        for number in 0..<3 { try bob.send(Self.request("bob \(number)")) }
        for _ in 0..<3 { _ = try bob.accepted() }
        let worker = try bench.worker(security: ring.add("mill", .worker))
        try worker.join()
        let order = try Self.work(worker, jobs: 8)
        #expect(order.filter { $0.hasPrefix("bob") } == ["bob 0", "bob 1", "bob 2"], "\(order)")
        #expect(order.firstIndex(of: "bob 0") ?? .max <= 1)
    }
}
