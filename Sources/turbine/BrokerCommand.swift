// `turbine broker`: the broker as a process.
import ArgumentParser
import BrokerService
import Foundation
import ImagePipeline
import StatusHTTP
import ZeroMQSockets

struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Take requests, keep them, and give them to workers.",
        discussion: """
            Prints one line when it serves: “listening clients=ENDPOINT workers=ENDPOINT”, and \
            http=ADDRESS with --http. \
            SIGTERM and SIGINT end it cleanly; jobs stay in the data folder.
            """)

    @OptionGroup var options: BrokerOptions
    @Option(help: "The status page's address, such as 127.0.0.1:8080; without it there is none.")
    var http: String?
    @Option(help: "A file whose first line is the token that the status page asks for.")
    var httpToken: String?
    @Flag(help: .hidden)
    var dieWithParent = false

    func run() throws {
        let stop = StopSignals()
        if dieWithParent { SupervisorLifeline.watch() }
        let pages = try http.map {
            try StatusConfiguration(
                address: $0, token: try httpToken.map(Self.token), isInsecure: options.insecure)
        }
        let broker = try Broker(try options.configuration())
        let page = try pages.map {
            try BrokerStatusPage(
                broker, dataFolder: options.data, configuration: $0)
        }
        let address = page.map { " http=\($0.address)" } ?? ""
        print(
            "listening clients=\(broker.clientEndpoint) workers=\(broker.workerEndpoint)\(address)"
        )
        fflush(nil)
        stop.handle { broker.stop() }
        try broker.wait()
        page?.server.stopAndWait()
    }

    private static func token(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let line = text.split(whereSeparator: \.isNewline).first
        else {
            throw ValidationError("\(path) holds no token; write one as its first line.")
        }
        return String(line)
    }
}

/// The options of a broker, for the commands that run one.
struct BrokerOptions: ParsableArguments {
    @Option(help: "The folder of the journal and the results.")
    var data: String
    @Option(help: "Where clients connect; port * is any free one.")
    var clientEndpoint: String = "tcp://127.0.0.1:5570"
    @Option(help: "Where workers connect.")
    var workerEndpoint: String = "tcp://127.0.0.1:5571"
    @Option(help: "A folder with broker.key_secret and authorized/*.key; turns encryption on.")
    var keys: String?
    @Flag(help: "Serve others than this host without keys.")
    var insecure = false
    @Option(help: "Largest image in pixels.")
    var maximumPixels: UInt64?
    @Option(help: "Longest side in pixels.")
    var maximumSide: UInt32?
    @Option(help: "Most steps an image.")
    var maximumSteps: UInt32?
    @Option(help: "Most images a job.")
    var maximumImages: UInt32?
    @Option(help: "Most jobs in the queue.")
    var maximumJobs: Int?
    @Option(
        help: """
            Seconds that a begun job waits for a worker of its model and numerics class when none \
            is left, before it begins again on another kind.
            """)
    var originGrace: Int64?
    @Option(help: "Hours for which results are kept.")
    var resultHours: Int64?
    @Option(help: "Bytes of results that are kept.")
    var resultBytes: Int64?
    @Option(help: "Largest size of the journal in bytes; without it, as the disk allows.")
    var maximumStoreBytes: Int64?

    /// The configuration that the options describe.
    func configuration() throws -> BrokerConfiguration {
        var configuration = BrokerConfiguration(dataFolder: data)
        configuration.clientEndpoint = clientEndpoint
        configuration.workerEndpoint = workerEndpoint
        configuration.security = try security()
        configuration.version = turbineVersion
        configuration.maximumStoreBytes = maximumStoreBytes
        func set<Value: Comparable>(
            _ option: Value?, _ name: String, from least: Value, _ body: (Value) -> Void
        ) throws {
            guard let option else { return }
            guard option >= least else {
                throw ValidationError("--\(name) is \(option); use at least \(least).")
            }
            body(option)
        }
        try set(maximumPixels, "maximum-pixels", from: 256) {
            configuration.requestLimits.maximumPixels = $0
        }
        try set(maximumSide, "maximum-side", from: 16) {
            configuration.requestLimits.maximumSide = $0
        }
        try set(maximumSteps, "maximum-steps", from: 1) {
            configuration.requestLimits.maximumSteps = $0
        }
        try set(maximumImages, "maximum-images", from: 1) {
            configuration.requestLimits.maximumImageCount = $0
        }
        try set(maximumJobs, "maximum-jobs", from: 1) { configuration.queueLimits.jobs = $0 }
        try set(originGrace, "origin-grace", from: 0) {
            configuration.queueLimits.originGrace = .seconds($0)
        }
        try set(resultHours, "result-hours", from: 1) {
            configuration.queueLimits.resultLifetime = .seconds($0.multipliedClamped(by: 3600))
        }
        try set(resultBytes, "result-bytes", from: 0) {
            configuration.queueLimits.resultBytes = $0
        }
        return configuration
    }

    private func security() throws -> BrokerConfiguration.Security {
        guard let keys else { return insecure ? .insecure : .loopbackOnly }
        let path = keys + "/broker.key_secret"
        guard let secret = try KeyFile(path: path).secretKey else {
            throw ValidationError("\(path) has no secret key; make one with turbine keygen broker.")
        }
        return .curve(secret, authorizedKeys: keys + "/authorized")
    }
}

extension Int64 {
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// SIGTERM and SIGINT as an event: blocked from the start, so that none ends the process halfway.
struct StopSignals {
    private static let signals = [SIGTERM, SIGINT]

    init() {
        for number in Self.signals { signal(number, SIG_IGN) }
        Interruption.unblock()
    }

    /// Calls `body` at the first signal, on a thread of its own.
    func handle(_ body: @escaping @Sendable () -> Void) {
        for number in Self.signals {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                body()
                withExtendedLifetime(source) {}
            }
            source.resume()
        }
    }
}
