// Benchmarks of the engine. Each prints a table and a hash of its result; with --smoke it runs in
// seconds on the model in the box, so that the tests keep it working.
import ArgumentParser
import Foundation

@main struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turbine-benchmarks",
        abstract: "Benchmarks of the engine; docs/speed-log.md keeps their figures.",
        subcommands: [
            ProductBenchmark.self, PruningBenchmark.self, SeamBenchmark.self,
            MemoryBenchmark.self, LatencyBenchmark.self,
        ])
}

struct CommonOptions: ParsableArguments {
    @Option(help: "A checkpoint folder.")
    var model = "Models/emoji"
    @Option(help: "Compute threads.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "A small size, to see that it works.")
    var smoke = false
}

/// A row of a table in Markdown.
func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

func format(_ value: Double, _ digits: Int = 3) -> String {
    String(format: "%.\(digits)f", value)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let duration = (ContinuousClock.now - start).components
    return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
}
