// A broker and its workers, as processes of the built program.
import Foundation
import TestSupport

/// A service on ports of its own. All its processes and files go with the value.
final class Service {
    let folder: TemporaryFolder
    private(set) var broker: Running
    private(set) var workers: [String: Running] = [:]
    private(set) var clientEndpoint = ""
    private(set) var workerEndpoint = ""
    private(set) var httpAddress = ""
    private let brokerOptions: [String]

    /// Starts a broker, and workers that are ready when this returns.
    init(workers names: [String] = ["one"], brokerOptions: [String] = []) throws {
        folder = try TemporaryFolder()
        self.brokerOptions = brokerOptions
        clientEndpoint = "tcp://127.0.0.1:\(try FreePort.next())"
        workerEndpoint = "tcp://127.0.0.1:\(try FreePort.next())"
        httpAddress = "127.0.0.1:\(try FreePort.next())"
        broker = try Self.runBroker(
            folder, clientEndpoint, workerEndpoint, httpAddress, brokerOptions)
        try waitUntilBrokerListens()
        for name in names { try startWorker(name) }
        try waitUntilReady(names)
    }

    private static func runBroker(
        _ folder: TemporaryFolder, _ clients: String, _ workers: String, _ http: String,
        _ options: [String]
    ) throws -> Running {
        try Running(
            Turbine.path,
            [
                "broker", "--data", folder.file("data"), "--client-endpoint", clients,
                "--worker-endpoint", workers, "--http", http, "--maximum-steps", "1000",
            ] + options)
    }

    private func waitUntilBrokerListens() throws {
        let broker = broker
        try waitUntil("the broker listens", context: { broker.errors }) {
            guard broker.isRunning else {
                throw Impatience(description: "the broker ended: \(broker.errors)")
            }
            return broker.output.hasPrefix("listening ")
        }
    }

    /// Starts the broker again on the same folder and ports, after it has ended.
    func restartBroker() throws {
        broker = try Self.runBroker(
            folder, clientEndpoint, workerEndpoint, httpAddress, brokerOptions)
        try waitUntilBrokerListens()
    }

    /// Kills the broker as hard as can be.
    func killBroker() throws {
        broker.send(SIGKILL)
        _ = try broker.wait()
    }

    /// Starts a worker with the model in the box and one compute thread.
    @discardableResult
    func startWorker(_ name: String, _ options: [String] = []) throws -> Running {
        let worker = try Running(
            Turbine.path,
            [
                "worker", "--broker", workerEndpoint, "--model", Turbine.boxModel, "--name", name,
                "--threads", "1",
            ] + options)
        workers[name] = worker
        return worker
    }

    /// Kills a worker as hard as can be.
    func killWorker(_ name: String) throws {
        workers[name]?.send(SIGKILL)
        _ = try workers[name]?.wait()
    }

    /// Waits until these workers can be given work.
    func waitUntilReady(_ names: [String]) throws {
        if names.isEmpty { return }
        try waitUntil("workers \(names) are ready", context: { self.log }) {
            let idle = try status().workers.filter { ["idle", "busy"].contains($0.state) }
            return Set(names).isSubset(of: idle.map(\.name))
        }
    }

    /// What all processes have said.
    var log: String {
        let parts =
            ["broker: \(broker.output)\(broker.errors)"]
            + workers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.errors)" }
        return parts.joined(separator: "\n")
    }

    // Clients.

    /// Runs a command of a client to its end.
    func run(_ command: String, _ arguments: [String]) throws -> Turbine.Outcome {
        try start(command, arguments).wait()
    }

    /// Starts a command of a client.
    func start(_ command: String, _ arguments: [String]) throws -> Running {
        try Running(
            Turbine.path, [command, "--broker", clientEndpoint] + arguments, folder: folder.path)
    }

    /// Starts a Python script of this folder with the endpoint as its first argument.
    func startPython(_ script: String, _ arguments: [String]) throws -> Running {
        try TestPython.start(
            [Self.script(script), clientEndpoint] + arguments, folder: folder.path)
    }

    static func script(_ name: String) -> String {
        Repository.path("Tests/EndToEndTests/Scripts/\(name)")
    }

    /// The broker's state, as `turbine status` tells it.
    func status() throws -> ServiceState {
        try waitFor("a status", context: { self.log }) {
            let outcome = try run("status", ["--json"])
            guard outcome.succeeded else { return nil }
            return try JSONDecoder().decode(ServiceState.self, from: Data(outcome.output.utf8))
        }
    }

    /// Waits until a worker has done at least so many steps of a job.
    func waitForWork(steps: Int = 1) throws -> ServiceState.Worker {
        try waitFor("a worker draws", context: { self.log }) {
            try status().workers.first { $0.jobID != 0 && $0.step >= steps }
        }
    }

    /// The text of `/metrics`, made after this call.
    func metrics() throws -> String {
        // Asking makes the broker write down its state; the next answer is of after that.
        _ = try page("metrics")
        sleep(1)
        return try String(contentsOf: page("metrics"), encoding: .utf8)
    }

    private func page(_ path: String) throws -> URL {
        // Foundation's own client is a library more; every Debian has Python.
        let copy = folder.url("page")
        let script = """
            import sys, urllib.request
            open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1], timeout=20).read())
            """
        let arguments = ["-c", script, "http://\(httpAddress)/\(path)", copy.path]
        let outcome = try TestPython.start(arguments).wait()
        guard outcome.succeeded else { throw Impatience(description: outcome.errors) }
        return copy
    }
}

/// What `turbine status --json` prints, as far as tests look at it.
struct ServiceState: Decodable {
    struct Worker: Decodable {
        let name, state: String
        let jobID, jobsCompleted: Int
        let step, steps: Int
    }

    let queued, running, quarantined, completed, failed, cancelled: Int
    let workers: [Worker]
}
