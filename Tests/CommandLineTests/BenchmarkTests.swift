// Benchmarks keep working: each runs at its small size.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct BenchmarkTests {
    @Test(arguments: ["products", "pruning", "seams", "memory", "latency"])
    func runsAtItsSmallSize(name: String) throws {
        let running = try Running(
            "\(Turbine.folder)/turbine-benchmarks", [name, "--smoke"], folder: Repository.root.path)
        let outcome = try running.wait()
        #expect(outcome.succeeded, "\(outcome.errors)")
        let rows = outcome.outputLines.filter { $0.hasPrefix("| ") }
        #expect(rows.count >= 3)
        #expect(Set(rows.map { $0.filter { $0 == "|" }.count }).count == 1)
        let hash = outcome.outputLines.last?.wholeMatch(of: /result ([0-9a-f]{64})/)
        #expect(hash != nil)
    }
}
