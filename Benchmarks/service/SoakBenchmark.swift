// Whether memory stays flat over many jobs, a tenth of them cancelled or abandoned.

import ArgumentParser
import Foundation
import WireProtocol
import ZeroMQSockets

struct SoakBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Resident memory of broker and worker over many jobs.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Jobs; one in twenty is cancelled, one in twenty abandoned by its client.")
    var count = 10_000
    @Option(help: "Ended jobs of which the broker keeps the outcome, and of which the trace.")
    var kept = 500

    /// What is sampled, in bytes.
    private struct Sample {
        var broker: Double
        var worker: Double
    }

    func run() throws {
        let count = options.smoke ? 60 : count
        let broker = try BenchmarkBroker(
            below: options.folder,
            options: ["--kept", "\(kept)", "--abandon-milliseconds", "50"])
        // Steps of a millisecond with latents of 64 KiB: those pass through the journal, too.
        let worker = try WorkerProcess.start(
            broker, name: "stub", ["--block-milliseconds", "1", "--latent-bytes", "65536"])
        let context = try ZeroMQContext()
        let client = try BenchmarkClient(broker.clientEndpoint, in: context)
        var samples: [Sample] = []
        var digest = Digest()
        var outcomes = (completed: 0, cancelled: 0)
        for number in 0..<count {
            switch number % 20 {
            case 7:
                try abandon(number, broker.clientEndpoint, context)
            case 13:
                try cancel(number, client)
                outcomes.cancelled += 1
            default:
                let request = GenerateRequest.benchmark(
                    number, steps: 2, isDetached: false, replies: .final)
                guard case .completed(let result) = try client.ask(.generate(request)) else {
                    throw BenchmarkFailure("job \(number) was not completed")
                }
                digest.add(result.requestID)
                outcomes.completed += 1
            }
            if number.isMultiple(of: max(1, count / 200)) {
                samples.append(
                    Sample(
                        broker: try broker.process.residentBytes(),
                        worker: try worker.residentBytes()))
            }
        }
        let status = try client.status()
        printTable(
            ["MiB resident, \(count) jobs", "first fifth", "last fifth", "growth"],
            [row("broker", samples, \.broker), row("worker", samples, \.worker)])
        print(
            "ended: \(status.completed) completed, \(status.cancelled) cancelled or abandoned,",
            "\(status.failed) failed; \(status.droppedMessages) replies dropped")
        guard status.completed >= UInt64(outcomes.completed), status.failed == 0 else {
            throw BenchmarkFailure("jobs are missing")
        }
        digest.printResult("results")
    }

    private func row(
        _ name: String, _ samples: [Sample], _ value: KeyPath<Sample, Double>
    ) -> [String] {
        let values = samples.map { $0[keyPath: value] }
        let fifth = max(1, values.count / 5)
        let (first, last) = (
            values.prefix(fifth).map { $0 }.mean, values.suffix(fifth).map { $0 }.mean
        )
        return [name, mebibytes(first), mebibytes(last), mebibytes(last - first)]
    }

    /// A client of its own submits a long job and leaves when it is accepted.
    private func abandon(_ number: Int, _ endpoint: String, _ context: ZeroMQContext) throws {
        let client = try BenchmarkClient(endpoint, in: context)
        let request = GenerateRequest.benchmark(
            number, steps: 200, isDetached: false, replies: .all)
        guard case .accepted = try client.ask(.generate(request)) else {
            throw BenchmarkFailure("job \(number) was not accepted")
        }
    }

    /// Submits a long job and cancels it.
    private func cancel(_ number: Int, _ client: BenchmarkClient) throws {
        let request = GenerateRequest.benchmark(
            number, steps: 200, isDetached: false, replies: .all)
        guard case .accepted(let accepted) = try client.ask(.generate(request)),
            case .cancelled = try client.ask(.cancel(CancelRequest(job: .jobID(accepted.jobID))))
        else { throw BenchmarkFailure("job \(number) was not cancelled") }
    }
}
