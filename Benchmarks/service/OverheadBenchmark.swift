// What the service costs a job: from submission to result with an engine that takes no time, in
// turn with the same message through a plain proxy that keeps nothing.

import ArgumentParser
import Foundation
import WireProtocol

struct OverheadBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overhead",
        abstract: "Milliseconds from submission to result, beside zmq_proxy with an echo worker.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Jobs of each kind.")
    var count = 2000
    @Option(help: "Jobs in a turn.")
    var turn = 100

    func run() throws {
        let turn = options.smoke ? 10 : turn
        let rounds = max(1, (options.smoke ? 20 : count) / turn)
        let broker = try BenchmarkBroker(below: options.folder)
        let worker = try WorkerProcess.start(broker, name: "stub")
        let proxy = try ChildProcess(["serve-proxy"])
        let echo = try ChildProcess(["serve-echo", "--proxy", proxy.greeting[1]])
        let service = try BenchmarkClient(broker.clientEndpoint)
        let plain = try BenchmarkClient(proxy.greeting[0])
        var digest = Digest()
        var (jobs, echoes): ([Double], [Double]) = ([], [])
        for round in -1..<rounds {
            let numbers = (round + 1) * turn..<(round + 2) * turn
            let times = try numbers.map { try serviceSeconds($0, service, &digest) }
            let others = try numbers.map { try proxySeconds($0, plain) }
            // The first turn warms both up.
            if round >= 0 {
                jobs += times
                echoes += others
            }
        }
        printTable(
            ["milliseconds, of \(jobs.count) in turn", "median", "99th percentile"],
            [
                row("job, submit to result", jobs), row("zmq_proxy and echo", echoes),
                [
                    "ratio", format(jobs.median / echoes.median, 1),
                    format(jobs.quantile(0.99) / echoes.quantile(0.99), 1),
                ],
            ])
        digest.printResult("results")
        withExtendedLifetime((worker, echo)) {}
    }

    private func row(_ name: String, _ seconds: [Double]) -> [String] {
        [name, milliseconds(seconds.median), milliseconds(seconds.quantile(0.99))]
    }

    private func serviceSeconds(
        _ number: Int, _ client: BenchmarkClient, _ digest: inout Digest
    ) throws -> Double {
        let request = GenerateRequest.benchmark(number, steps: 1, replies: .final)
        let watch = Stopwatch()
        guard case .completed(let result) = try client.ask(.generate(request)) else {
            throw BenchmarkFailure("a job was not completed")
        }
        let seconds = watch.seconds
        guard let image = result.images.first, image.seed == UInt64(number) else {
            throw BenchmarkFailure("a job's result is another's")
        }
        digest.add(result.requestID)
        return seconds
    }

    private func proxySeconds(_ number: Int, _ client: BenchmarkClient) throws -> Double {
        let request = GenerateRequest.benchmark(number, steps: 1, replies: .final)
        let watch = Stopwatch()
        let frame = try ClientMessage(correlation: UInt64(number), .generate(request)).encoded()
        try client.send(frame: frame)
        guard let reply = try client.receiveFrame(), reply == frame,
            try ClientMessage(frame: reply).correlation == UInt64(number)
        else { throw BenchmarkFailure("the echo is not what was sent") }
        return watch.seconds
    }
}
