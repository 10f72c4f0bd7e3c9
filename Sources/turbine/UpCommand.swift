// `turbine up`: a broker, its workers and the status page, kept running by one supervisor.
import ArgumentParser
import BrokerService
import Foundation
import Synchronization

struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run a broker, workers and the status page together.",
        discussion: """
            All logs go to standard error, each line with its time and process. When the first \
            worker is ready, a line that begins with "ready" is printed on standard output. \
            Ctrl-C or SIGTERM stops the workers, which finish or hand back what they have, and \
            then the broker; a second one kills.
            """)

    @Option(help: "How many workers.")
    var workers = 1
    @Option(help: "A checkpoint folder; default the model in the box.")
    var model: String?
    @Option(help: "Where the broker keeps its jobs and results.")
    var data = "turbine-data"
    @Option(help: "The status page's address.")
    var http = "127.0.0.1:8080"
    @Option(help: "A file whose first line is the token that the status page asks for.")
    var httpToken: String?
    @Option(help: "Where clients connect.")
    var clientEndpoint = "tcp://127.0.0.1:5570"
    @Option(help: "Where workers connect.")
    var workerEndpoint = "tcp://127.0.0.1:5571"
    @Option(
        help: "A folder of keys, the broker's and the workers'; without it all is open on loopback."
    )
    var keys: String?
    @Option(help: "Compute threads of each worker; default all processors divided among them.")
    var threads: Int?
    @OptionGroup var limits: BrokerLimitOptions
    @OptionGroup var settings: WorkerSettingOptions
    @Flag(help: "Allow other addresses than loopback without keys.")
    var insecure = false
    @Option(help: .hidden)
    var program: String?

    func validate() throws {
        guard (1...256).contains(workers) else {
            throw ValidationError("--workers is \(workers); use 1 to 256.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); use 1 to 1024.")
        }
    }

    func run() throws {
        // Mistakes are told at once, not by children that end again and again.
        var configuration = BrokerConfiguration(dataFolder: data)
        try limits.apply(to: &configuration)
        try settings.check()
        let folder = try model ?? ResourceLocator.locate(ResourceLocator.defaultModel)
        let executable =
            try program ?? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        StopRequests.install()
        let readiness = UpReadiness()
        var policy = RestartPolicy()
        policy.stopTime = max(policy.stopTime, settings.grace + 60)
        let supervisor = Supervisor(
            programs: programs(executable: executable, model: folder), policy: policy,
            stopRequests: { StopRequests.count }, log: { StandardError.write($0) },
            onLine: { name, line in readiness.observe(name, line) })
        try supervisor.run()
    }

    /// The broker and the workers as commands.
    func programs(executable: String, model: String) -> [SupervisedProgram] {
        var broker = [
            executable, "broker", "--data", data, "--client-endpoint", clientEndpoint,
            "--worker-endpoint", workerEndpoint, "--http", http, "--die-with-parent",
        ]
        let keyOptions = keys.map { ["--keys", $0] } ?? []
        broker += httpToken.map { ["--http-token", $0] } ?? []
        broker += keyOptions + (insecure ? ["--insecure"] : []) + limits.arguments
        // Estimates rest on what the workers' presets say.
        broker += settings.presets.map { ["--presets", $0] } ?? []
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let share = threads ?? max(1, processors / workers)
        let rest = (1...workers).map { number in
            SupervisedProgram(
                name: "worker-\(number)",
                command: [
                    executable, "worker", "--broker", Self.reachable(workerEndpoint), "--model",
                    model, "--name", "worker-\(number)", "--threads", "\(share)",
                    "--die-with-parent",
                ] + keyOptions + settings.arguments, stage: 1)
        }
        return [SupervisedProgram(name: "broker", command: broker, stage: 0)] + rest
    }

    /// An endpoint to connect to, for one to bind: `tcp://*:5571` is on this machine, too.
    static func reachable(_ endpoint: String) -> String {
        for wildcard in ["tcp://*:", "tcp://0.0.0.0:"] where endpoint.hasPrefix(wildcard) {
            return "tcp://127.0.0.1:" + endpoint.dropFirst(wildcard.count)
        }
        return endpoint
    }
}

/// Tells once, on standard output, that the first worker can be used.
final class UpReadiness {
    private var listening = ""
    private var isTold = false
    private let tell: (String) -> Void

    init(
        tell: @escaping (String) -> Void = { line in
            print(line)
            fflush(nil)
        }
    ) { self.tell = tell }

    /// Looks for the broker's `listening …` and a worker's `ready …`.
    func observe(_ name: String, _ line: String) {
        if name == "broker", line.hasPrefix("listening ") {
            listening = String(line.dropFirst("listening ".count))
        } else if !isTold, name.hasPrefix("worker-"), line == "ready" || line.hasPrefix("ready ") {
            isTold = true
            tell("ready \(listening)")
        }
    }
}

/// Counts SIGINT and SIGTERM.
enum StopRequests {
    private static let requests = Atomic<Int>(0)

    static var count: Int { requests.load(ordering: .relaxed) }

    static func install() {
        _ = count
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in StopRequests.requests.add(1, ordering: .relaxed) }
        }
        signal(SIGPIPE, SIG_IGN)
        Interruption.unblock()
    }
}
