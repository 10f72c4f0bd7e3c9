// The broker of a benchmark: the real one, in a process of its own.

import ArgumentParser
import BrokerService
import Foundation
import QueueCore

struct BrokerProcess: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-broker", shouldDisplay: false)

    @Option var folder: String
    @Option var clients = "tcp://127.0.0.1:*"
    @Option var workers = "tcp://127.0.0.1:*"
    @Option var abandonMilliseconds: Int64?
    @Option var kept: Int?

    func run() throws {
        var configuration = BrokerConfiguration(dataFolder: folder)
        configuration.clientEndpoint = clients
        configuration.workerEndpoint = workers
        if let abandonMilliseconds {
            configuration.queueLimits.abandonGrace = .milliseconds(abandonMilliseconds)
        }
        if let kept {
            configuration.queueLimits.results = kept
            configuration.queueLimits.tombstones = kept
        }
        let broker = try Broker(configuration)
        ChildProcess.serve("\(broker.clientEndpoint) \(broker.workerEndpoint)")
    }
}

/// A broker and its folder, which goes when this does.
final class BenchmarkBroker {
    let folder: String
    private(set) var process: ChildProcess
    private let options: [String]

    /// - Parameter options: Options of `serve-broker` beside the folder and the endpoints.
    init(below parent: String, options: [String] = []) throws {
        folder = parent + "/turbine-benchmark-" + UUID().uuidString
        self.options = options
        process = try ChildProcess(["serve-broker", "--folder", folder] + options)
    }

    deinit {
        process.kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var clientEndpoint: String { process.greeting[0] }
    var workerEndpoint: String { process.greeting[1] }

    /// Starts the broker anew, at the same place, after it was killed.
    func restart() throws {
        let endpoints = ["--clients", clientEndpoint, "--workers", workerEndpoint]
        process = try ChildProcess(["serve-broker", "--folder", folder] + endpoints + options)
    }
}
