// What a long queue costs: memory a job, and whether submitting and dispatching take longer.

import ArgumentParser
import WireProtocol

struct BacklogBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backlog",
        abstract: "Memory a queued job; submission and dispatch with few and with many queued.")

    @OptionGroup var options: CommonOptions
    @Option(help: "The long queue, at most 190,000 jobs.")
    var count = 100_000
    @Option(help: "The short queue.")
    var few = 100
    @Option(help: "Rounds of 100 submissions and 100 dispatches.")
    var rounds = 20

    private static let perRound = 100

    /// What one queue length costs; times are seconds a job.
    private struct Cost {
        var submission = 0.0
        var submissionProcessor = 0.0
        var dispatch = 0.0
        var dispatchProcessor = 0.0
    }

    func run() throws {
        let many = options.smoke ? 1000 : min(count, 190_000)
        let rounds = options.smoke ? 2 : rounds
        let broker = try BenchmarkBroker(below: options.folder)
        let client = try BenchmarkClient(broker.clientEndpoint)
        var next = 0
        func submit(_ count: Int) throws -> [UInt64] {
            let frames = try submissionFrames(next..<next + count)
            next += count
            return try acceptedJobs(try client.exchange(frames, window: 512))
        }
        var digest = Digest()
        // The worker keeps one job of its own all the time.
        _ = try submit(few + 1)
        let worker = try BenchmarkWorker(broker.workerEndpoint, name: "stub")
        var lease = try worker.lease()
        func measure() throws -> Cost {
            var costs: [Cost] = []
            // The first round warms up.
            for _ in 0...rounds {
                var cost = Cost()
                let frames = try submissionFrames(next..<next + Self.perRound)
                next += Self.perRound
                (cost.submission, cost.submissionProcessor) = try time(broker) {
                    _ = try acceptedJobs(try client.exchange(frames, window: Self.perRound))
                }
                (cost.dispatch, cost.dispatchProcessor) = try time(broker) {
                    for _ in 0..<Self.perRound {
                        digest.add(lease.lease.jobID)
                        try worker.complete()
                        lease = try worker.lease()
                    }
                }
                costs.append(cost)
            }
            return Self.median(Array(costs.dropFirst()))
        }
        let short = try measure()
        let shortBytes = try broker.process.residentBytes()
        var left = many - few
        while left > 0 {
            _ = try submit(min(left, 2000))
            left -= min(left, 2000)
            try worker.beat()
        }
        let longBytes = try broker.process.residentBytes()
        let long = try measure()
        let status = try client.status()
        guard status.queued == UInt64(many), status.running == 1 else {
            throw BenchmarkFailure("\(status.queued) jobs are queued, \(status.running) run")
        }
        printTable(
            ["µs a job, median of \(rounds) rounds", "\(few) queued", "\(many) queued", "ratio"],
            [
                row("submission, 100 at a time", short, long, \.submission),
                row("… broker's processor time", short, long, \.submissionProcessor),
                row("dispatch, one after the other", short, long, \.dispatch),
                row("… broker's processor time", short, long, \.dispatchProcessor),
            ])
        print(
            "memory a queued job: \(format((longBytes - shortBytes) / Double(many - few), 0)) bytes"
        )
        digest.printResult("dispatched jobs")
    }

    /// Seconds a job, on the clock and of the broker's processor time.
    private func time(
        _ broker: BenchmarkBroker, _ body: () throws -> Void
    ) throws -> (Double, Double) {
        let before = try broker.process.processorSeconds()
        let watch = Stopwatch()
        try body()
        let seconds = watch.seconds
        let computed = try broker.process.processorSeconds() - before
        return (seconds / Double(Self.perRound), computed / Double(Self.perRound))
    }

    private static func median(_ costs: [Cost]) -> Cost {
        Cost(
            submission: costs.map(\.submission).median,
            submissionProcessor: costs.map(\.submissionProcessor).median,
            dispatch: costs.map(\.dispatch).median,
            dispatchProcessor: costs.map(\.dispatchProcessor).median)
    }

    private func row(
        _ name: String, _ short: Cost, _ long: Cost, _ value: KeyPath<Cost, Double>
    ) -> [String] {
        let (few, many) = (short[keyPath: value], long[keyPath: value])
        return [name, format(few * 1e6, 1), format(many * 1e6, 1), format(many / few, 2)]
    }
}
