// How long a worker stays busy with a job that was cancelled.

import ArgumentParser
import Foundation
import WireProtocol

struct CancelBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Milliseconds from the cancellation of a running job to the next one's result.")

    @OptionGroup var options: CommonOptions
    @Option(help: "What one of the engine's blocks takes; between blocks it can stop.")
    var blockMilliseconds = 50
    @Option var repetitions = 30

    func run() throws {
        let broker = try BenchmarkBroker(below: options.folder)
        let worker = try WorkerProcess.start(
            broker, name: "stub",
            ["--block-milliseconds", "\(blockMilliseconds)", "--blocks", "8"])
        let client = try BenchmarkClient(broker.clientEndpoint)
        var (answers, handovers): ([Double], [Double]) = ([], [])
        var digest = Digest()
        var generator = SeededGenerator(seed: 1)
        for repetition in 0..<(options.smoke ? 3 : repetitions) {
            let long = try startLongJob(2 * repetition, client)
            // Somewhere within a block.
            usleep(UInt32.random(in: 0..<UInt32(1000 * blockMilliseconds), using: &generator))
            let next = try client.send(
                .generate(.benchmark(2 * repetition + 1, steps: 1, replies: .final)))
            let watch = Stopwatch()
            let cancel = try client.send(.cancel(CancelRequest(job: .jobID(long))))
            answers.append(try seconds(watch, client, until: cancel))
            handovers.append(try seconds(watch, client, until: next))
            digest.add(long)
        }
        printTable(
            ["milliseconds since cancel, blocks of \(blockMilliseconds) ms", "median", "longest"],
            [
                row("answer to the client", answers), row("the next job's result", handovers),
            ])
        digest.printResult("cancelled jobs")
        withExtendedLifetime(worker) {}
    }

    private func row(_ name: String, _ seconds: [Double]) -> [String] {
        [name, milliseconds(seconds.median), milliseconds(seconds.quantile(1))]
    }

    /// Submits a job that would take long, and returns it when its first step is done.
    private func startLongJob(_ number: Int, _ client: BenchmarkClient) throws -> UInt64 {
        let correlation = try client.send(
            .generate(.benchmark(number, steps: 200, replies: .all)))
        while true {
            let message = try client.receive()
            guard message.correlation == correlation else { continue }
            if case .progress(let progress) = message.reply { return progress.jobID }
        }
    }

    /// The time at which the reply to a request comes: `cancelled` or `completed`.
    private func seconds(
        _ watch: Stopwatch, _ client: BenchmarkClient, until correlation: UInt64
    ) throws -> Double {
        while true {
            let message = try client.receive()
            guard message.correlation == correlation else { continue }
            switch message.reply {
            case .cancelled, .completed: return watch.seconds
            default: throw BenchmarkFailure("the broker answered \(message.reply)")
            }
        }
    }
}
