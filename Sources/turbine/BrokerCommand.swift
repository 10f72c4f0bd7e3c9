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
    @Option(help: "Another preset file: the workers' own, for estimates.")
    var presets: String?
    @OptionGroup var limits: BrokerLimitOptions

    /// The configuration that the options describe.
    func configuration() throws -> BrokerConfiguration {
        var configuration = BrokerConfiguration(dataFolder: data)
        configuration.clientEndpoint = clientEndpoint
        configuration.workerEndpoint = workerEndpoint
        configuration.security = try security()
        configuration.version = turbineVersion
        try readPresets(into: &configuration)
        try limits.apply(to: &configuration)
        return configuration
    }

    /// Estimates of requests that name a preset rest on its size and steps. The file that comes
    /// with the program may be missing where there is no worker.
    private func readPresets(into configuration: inout BrokerConfiguration) throws {
        guard let path = presets ?? (try? ResourceLocator.locate(ResourceLocator.presets)) else {
            return
        }
        let library = try PresetLibrary(file: path)
        let base = library.defaultPreset
        configuration.defaultShape = BrokerConfiguration.Shape(base)
        for name in library.names {
            let preset = try library.preset(named: name).filled(from: base)
            configuration.presetShapes[name] = BrokerConfiguration.Shape(preset)
        }
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

extension BrokerConfiguration.Shape {
    /// What comes of a request that leaves everything to the preset.
    fileprivate init(_ preset: Preset) {
        let request = GenerationRequest(prompt: "", settings: preset, seed: 0)
        self.init(
            width: UInt32(clamping: request.width), height: UInt32(clamping: request.height),
            steps: UInt32(clamping: request.stepCount),
            images: UInt32(clamping: request.imageCount))
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
