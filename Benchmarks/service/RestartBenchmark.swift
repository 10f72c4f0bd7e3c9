// How long a killed broker takes to serve again with a queue in its journal.

import ArgumentParser
import WireProtocol

struct RestartBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Seconds from the start of a killed broker to its first answer.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Queued jobs.")
    var count = 10_000
    @Option var repetitions = 7

    func run() throws {
        let count = options.smoke ? 300 : count
        let broker = try BenchmarkBroker(below: options.folder)
        var client = try BenchmarkClient(broker.clientEndpoint)
        let jobs = try acceptedJobs(try client.exchange(submissionFrames(0..<count), window: 4096))
        var seconds: [Double] = []
        for _ in 0..<(options.smoke ? 2 : repetitions) {
            broker.process.kill()
            client = try BenchmarkClient(broker.clientEndpoint)
            let watch = Stopwatch()
            try broker.restart()
            let status = try client.status()
            seconds.append(watch.seconds)
            guard status.queued == UInt64(count) else {
                throw BenchmarkFailure("\(status.queued) of \(count) jobs were left")
            }
        }
        printTable(
            ["seconds until served, \(count) queued jobs", "\(seconds.count) restarts"],
            [
                ["median", format(seconds.median, 3)],
                ["longest", format(seconds.quantile(1), 3)],
            ])
        var digest = Digest()
        for job in jobs.sorted() { digest.add(job) }
        digest.printResult("jobs")
    }
}
