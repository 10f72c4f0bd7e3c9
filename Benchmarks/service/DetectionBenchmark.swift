// How long a job stands still whose worker was killed, and what of it is done twice.

import ArgumentParser
import Foundation
import WireProtocol

struct DetectionBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detection",
        abstract: "Seconds from the death of a worker to the job's lease at another one.")

    @OptionGroup var options: CommonOptions
    @Option var stepMilliseconds = 100
    @Option var repetitions = 10

    func run() throws {
        let broker = try BenchmarkBroker(below: options.folder)
        let client = try BenchmarkClient(broker.clientEndpoint)
        var (times, repeated): ([Double], [Int]) = ([], [])
        var digest = Digest()
        var generator = SeededGenerator(seed: 1)
        for repetition in 0..<(options.smoke ? 1 : repetitions) {
            let first = try WorkerProcess.start(
                broker, name: "first-\(repetition)",
                ["--block-milliseconds", "\(stepMilliseconds)"])
            let correlation = try client.send(
                .generate(.benchmark(repetition, steps: 200, replies: .all)))
            _ = try step(client, correlation) { $0 >= 3 }
            let second = try BenchmarkWorker(broker.workerEndpoint, name: "second-\(repetition)")
            // Anywhere between two heartbeats.
            usleep(UInt32.random(in: 0..<1_000_000, using: &generator))
            try second.beat()
            first.kill()
            let watch = Stopwatch()
            let lease = try second.lease()
            times.append(watch.seconds)
            let resumed = Int(lease.resume?.step ?? 0)
            // The step at work when the worker died was not done, and is not counted.
            repeated.append(try lastStep(client, correlation) - resumed)
            guard lease.lease.attempt == 2 else {
                throw BenchmarkFailure("the lease has the attempt \(lease.lease.attempt)")
            }
            digest.add(lease.lease.jobID)
            try second.complete()
            try waitForResult(client, correlation)
            try second.leave()
            try waitUntilAlone(client)
        }
        printTable(
            ["a worker killed mid-job, steps of \(stepMilliseconds) ms", "\(times.count) times"],
            [
                ["seconds until another one has it, median", format(times.median, 2)],
                ["longest", format(times.quantile(1), 2)],
                ["reported steps repeated, at most", "\(repeated.max() ?? 0)"],
                ["steps begun and lost besides, at most", "1"],
            ])
        digest.printResult("jobs")
    }

    /// Waits until the broker knows no worker any more, so that the next job finds the right one.
    private func waitUntilAlone(_ client: BenchmarkClient) throws {
        let watch = Stopwatch()
        while try !client.status().workers.isEmpty {
            guard watch.seconds < 30 else {
                throw BenchmarkFailure("the broker does not let a worker go")
            }
            usleep(5000)
        }
    }

    /// The first reported step that fulfils a condition.
    private func step(
        _ client: BenchmarkClient, _ correlation: UInt64, _ condition: (Int) -> Bool
    ) throws -> Int {
        while true {
            let message = try client.receive()
            guard message.correlation == correlation else { continue }
            if case .progress(let progress) = message.reply, condition(Int(progress.step)) {
                return Int(progress.step)
            }
        }
    }

    /// The last step that was reported so far.
    private func lastStep(_ client: BenchmarkClient, _ correlation: UInt64) throws -> Int {
        var last = 0
        while let frame = try client.receiveFrame(milliseconds: 50) {
            if case .progress(let progress) = try ServerMessage(frame: frame).reply {
                last = max(last, Int(progress.step))
            }
        }
        return last
    }

    private func waitForResult(_ client: BenchmarkClient, _ correlation: UInt64) throws {
        while true {
            let message = try client.receive()
            guard message.correlation == correlation else { continue }
            switch message.reply {
            case .completed: return
            case .accepted, .progress: continue
            default: throw BenchmarkFailure("the job ended with \(message.reply)")
            }
        }
    }
}
