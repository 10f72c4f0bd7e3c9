// Benchmarks of the service keep working: each runs at its small size, with a real broker.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct ServiceBenchmarkTests {
    @Test(arguments: [
        "submissions", "overhead", "backlog", "soak", "restart", "detection", "cancel", "frames",
    ])
    func runsAtItsSmallSize(name: String) throws {
        let parent = FileManager.default.temporaryDirectory.path + "/bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let running = try Running(
            "\(Turbine.folder)/turbine-service-benchmarks",
            [name, "--smoke", "--folder", parent], folder: Repository.root.path)
        let outcome = try running.wait()
        #expect(outcome.succeeded, "\(outcome.errors)")
        let rows = outcome.outputLines.filter { $0.hasPrefix("| ") }
        #expect(rows.count >= 3)
        #expect(Set(rows.map { $0.filter { $0 == "|" }.count }).count == 1)
        let result = outcome.outputLines.last?.wholeMatch(
            of: /result ([0-9]+) [a-z ]+ [0-9a-f]{16}/)
        #expect((result.flatMap { Int($0.1) } ?? 0) > 0)
        // Brokers take their journals with them.
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent).isEmpty)
    }
}
