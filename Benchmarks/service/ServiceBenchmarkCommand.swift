// Benchmarks of the service. Each runs a real broker, with its journal on disk, in a process of its
// own, prints a table, and then what proves that the work was done; with --smoke it runs in
// seconds, so that the tests keep it working.

import ArgumentParser
import Foundation

@main struct ServiceBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turbine-service-benchmarks",
        abstract: "Benchmarks of the service; docs/speed-log.md keeps their figures.",
        subcommands: [
            SubmissionBenchmark.self, OverheadBenchmark.self, BacklogBenchmark.self,
            SoakBenchmark.self, RestartBenchmark.self, DetectionBenchmark.self,
            CancelBenchmark.self, FrameBenchmark.self, BrokerProcess.self, WorkerProcess.self,
            ProxyProcess.self, EchoProcess.self,
        ])
}

struct CommonOptions: ParsableArguments {
    @Flag(help: "A small size, to see that it works.")
    var smoke = false
    @Option(help: "The folder below which the journals are written; its disk is measured, too.")
    var folder = FileManager.default.temporaryDirectory.path
}

/// What went wrong with a benchmark.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
