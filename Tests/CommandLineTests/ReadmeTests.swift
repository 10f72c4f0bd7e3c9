// Every command that README shows works as shown.
import Foundation
import TestSupport
import Testing

@Suite struct ReadmeTests {
    /// The commands of README's `sh` blocks, in order.
    private static func commands() throws -> [String] {
        let text = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        var commands: [String] = []
        var isCode = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isCode = line == "```sh"
            } else if isCode, !line.isEmpty {
                commands.append(String(line))
            }
        }
        return commands
    }

    /// In one folder, one after the other, as a reader would: later commands use what earlier ones
    /// left. Commands of make are checked to be targets elsewhere; they build and test everything.
    @Test func everyCommandWorks() throws {
        let folder = try TemporaryFolder()
        for name in ["Models", "config"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.file(name), withDestinationPath: Repository.path(name))
        }
        let commands = try Self.commands().filter { !$0.hasPrefix("make ") }
        #expect(commands.count >= 10)
        let ports = try ServicePorts()
        var service: Process?
        defer {
            service?.terminate()
            service?.waitUntilExit()
        }
        for command in commands {
            #expect(command.contains("turbine "), "\(command)")
            if command.hasPrefix("turbine up") {
                service = try Self.start(command + ports.serviceOptions, folder)
                continue
            }
            let outcome = try Turbine.shell(ports.reached(by: command), folder: folder.path)
            #expect(outcome.succeeded, "\(command): \(outcome.errors)")
            // `submit` tells there how its job goes.
            #expect(
                outcome.errors.isEmpty || command.contains("turbine submit"), "\(command)")
            if let output = command.firstMatch(of: /--output (\S+)/)?.1,
                !command.contains("--count")
            {
                #expect(try PNGFile(folder.data(String(output))).width > 0, "\(command)")
            }
        }
        #expect(service != nil)
        #expect(folder.exists("cat-2.png"))
    }

    /// Starts the service as README does and waits until it can be used.
    private static func start(_ command: String, _ folder: TemporaryFolder) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Turbine.path)
        process.arguments = command.split(separator: " ").dropFirst().map(String.init)
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while !text.contains("ready") {
            let data = output.fileHandleForReading.availableData
            try #require(!data.isEmpty, "\(command) ended: \(text)")
            text += String(decoding: data, as: UTF8.self)
        }
        return process
    }

    /// The demo of the Makefile: broker, worker, and a picture that came through ZeroMQ. README
    /// shows the same picture without a broker.
    @Test func theDemoMakesTheSamePictureAsReadme() throws {
        let folder = try TemporaryFolder()
        let demo = try Running(
            Repository.path("scripts/demo"), ["picture of the demo.png"], folder: folder.path)
        let outcome = try demo.wait(seconds: 300)
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.hasSuffix("The picture is in picture of the demo.png.\n"))
        let prefix = #"turbine generate --prompt "red heart" --seed 4 --output "#
        let command = try #require(try Self.commands().first { $0.hasPrefix(prefix) })
        #expect(try Turbine.shell(command, folder: folder.path).succeeded)
        let alone = try #require(command.split(separator: " ").last.map(String.init))
        #expect(try folder.data("picture of the demo.png") == folder.data(alone))
    }

    /// The options that README and the help name are the same.
    @Test func namedOptionsExist() throws {
        let help = try ["generate", "up", "submit", "attach", "broker", "worker", "jobs"]
            .map { try Turbine.run([$0, "--help"]).output }.joined()
        let readme = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        let known = Set(help.matches(of: /--[a-z-]+/).map { String($0.output) })
            .union(["--chat", "--json"])
        let named = Set(readme.matches(of: /--[a-z][a-z-]+/).map { String($0.output) })
        #expect(named.subtracting(known) == [])
        #expect(named.count > 25)
    }
}

/// README's service has the program's own ports. Where a Turbine of somebody's is at them, the same
/// commands are tried with others.
private struct ServicePorts {
    private var clients: Int?
    private var others: [Int] = []

    init() throws {
        let taken = [5570, 5571, 8080].filter { !FreePort.isFree($0) }
        guard !taken.isEmpty else { return }
        print("ports \(taken) are taken: README's commands are run with options for other ports")
        clients = try FreePort.next()
        others = [try FreePort.next(), try FreePort.next()]
    }

    /// For the end of `turbine up`.
    var serviceOptions: String {
        guard let clients else { return "" }
        return " --client-endpoint tcp://127.0.0.1:\(clients)"
            + " --worker-endpoint tcp://127.0.0.1:\(others[0]) --http 127.0.0.1:\(others[1])"
    }

    /// A client's command, so that it finds the service; others are as they were.
    func reached(by command: String) -> String {
        let isClient = ["submit", "status", "jobs", "attach", "cancel"].contains {
            command.hasPrefix("turbine \($0) ") || command == "turbine \($0)"
        }
        guard let clients, isClient else { return command }
        return command + " --broker tcp://127.0.0.1:\(clients)"
    }
}
