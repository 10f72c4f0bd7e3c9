// Brokers that are killed at any moment, with clients and workers at work.
import Foundation
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestPython.isThere, "TURBINE_TEST_PYTHON names a Python"))
struct BrokerLossTests {
    /// What `Scripts/submit_through_crashes.py` found.
    private struct Report: Decodable {
        /// Jobs that were acknowledged; distinct ids among them.
        let acknowledged, distinctJobs: Int
        /// Sent once more at the end: answered as known, with the same job and the same bytes.
        let repeatedSame: Int
        /// In the broker's list: all, and those completed.
        let listed, listedCompleted: Int
        /// Pixel hashes by seed that were more than one.
        let ambiguousSeeds: Int
        /// The hash of the first seed.
        let firstHash: String
    }

    private static let jobs = 200
    private static let kills = 7

    @Test func everyAcknowledgedJobEndsOnce() throws {
        let service = try Service(workers: ["one", "two"])
        let client = try service.startPython("submit_through_crashes.py", ["\(Self.jobs)"])
        // The moments are random, the amount of work between them is not: any machine gets there.
        for kill in 1...Self.kills {
            let target = Self.jobs * kill / (Self.kills + 1) + Int.random(in: -8...8)
            try waitUntil("\(target) jobs are accepted", seconds: 240, context: { service.log }) {
                guard client.isRunning else {
                    throw Impatience(description: "the client ended: \(client.errors)")
                }
                return client.output.count { $0 == "+" } >= target
            }
            usleep(UInt32.random(in: 0...30_000))
            try service.killBroker()
            // Sometimes down long enough that clients and workers notice, sometimes hardly at all.
            if kill.isMultiple(of: 3) { usleep(1_500_000) }
            try service.restartBroker()
        }
        let outcome = try client.wait(seconds: 300)
        #expect(outcome.succeeded, "\(outcome.errors)\n\(service.log)")
        let line = try #require(outcome.outputLines.last)
        let report = try JSONDecoder().decode(Report.self, from: Data(line.utf8))
        #expect(report.acknowledged == Self.jobs && report.distinctJobs == Self.jobs)
        #expect(report.repeatedSame == Self.jobs)
        #expect(report.listed == Self.jobs && report.listedCompleted == Self.jobs)
        #expect(report.ambiguousSeeds == 0)
        let alone = try Turbine.run(
            [
                "generate", "--prompt", "cat", "--width", "32", "--height", "32", "--steps", "1",
                "--guidance", "0", "--seed", "0", "--json", "--output", "alone.png",
            ], folder: service.folder.path)
        #expect(try Turbine.hashes(alone) == [report.firstHash])
        // The same processes as at first: they came back by themselves.
        let state = try service.status()
        #expect(Set(state.workers.filter { $0.state == "idle" }.map(\.name)) == ["one", "two"])
        #expect(service.workers.values.allSatisfy { $0.isRunning })
        #expect(state.queued == 0 && state.running == 0 && state.quarantined == 0)
    }

    /// A job that runs while its broker is away goes on under the same lease.
    @Test func aRunningJobOutlivesItsBroker() throws {
        let job = WorkerLossTests.Job(steps: 150)
        let service = try Service(workers: ["one"])
        let follower = try Follower(service, job.arguments)
        try follower.waitForStep(20)
        try service.killBroker()
        try service.restartBroker()
        let result = try #require(try follower.wait().result, "\(service.log)")
        #expect(result.attempts == 1)
        #expect(try result.sha256 == job.undisturbed(in: service.folder))
    }
}
