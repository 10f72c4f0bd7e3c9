// Durable submissions a second: each is acknowledged once its transaction is on disk.

import ArgumentParser
import Foundation
import WireProtocol

struct SubmissionBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submissions",
        abstract: "Durable submissions a second over one pipelining connection.")

    @OptionGroup var options: CommonOptions
    @Option(help: "Submissions, at most 180,000.")
    var count = 100_000
    @Option(help: "Submissions that may wait for their acknowledgement.")
    var window = 4096

    func run() throws {
        let count = options.smoke ? 2000 : min(count, 180_000)
        let broker = try BenchmarkBroker(below: options.folder)
        let worker = try WorkerProcess.start(
            broker, name: "stub", ["--block-milliseconds", "10"])
        let client = try BenchmarkClient(broker.clientEndpoint)
        // The worker takes these; the first ones fill caches and pools.
        _ = try acceptedJobs(try client.exchange(submissionFrames(0..<500), window: window))
        let frames = try submissionFrames(500..<500 + count)
        let before = try broker.process.processorSeconds()
        let watch = Stopwatch()
        let replies = try client.exchange(frames, window: window)
        let seconds = watch.seconds
        let computed = try broker.process.processorSeconds() - before
        let jobs = try acceptedJobs(replies)
        broker.process.kill()
        let restart = Stopwatch()
        try broker.restart()
        let successor = try BenchmarkClient(broker.clientEndpoint)
        _ = try successor.status()
        let startSeconds = restart.seconds
        let known = try successor.knownJobs()
        printTable(
            ["", "\(count) submissions, \(window) at a time"],
            [
                ["submissions a second", format(Double(count) / seconds, 0)],
                ["broker's processor time, µs each", format(computed / Double(count) * 1e6, 1)],
                ["fsync of 4 KiB on this disk, ms", milliseconds(try syncSeconds())],
                ["jobs known after kill -9", "\(known.intersection(jobs).count) of \(count)"],
                ["start after that, s", format(startSeconds, 2)],
            ])
        guard Set(jobs).count == count, known.isSuperset(of: jobs) else {
            throw BenchmarkFailure("acknowledged jobs are missing")
        }
        var digest = Digest()
        for job in jobs.sorted() { digest.add(job) }
        digest.printResult("jobs")
        withExtendedLifetime(worker) {}
    }

    /// The median time of a small write that is forced to the disk.
    private func syncSeconds() throws -> Double {
        let path = options.folder + "/turbine-benchmark-sync-\(getpid())"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchmarkFailure("\(path) cannot be written") }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 1, count: 4096)
        return try (0..<50).map { _ in
            let watch = Stopwatch()
            guard write(file, page, page.count) == page.count, fdatasync(file) == 0 else {
                throw BenchmarkFailure("\(path) cannot be written")
            }
            return watch.seconds
        }.median
    }
}
