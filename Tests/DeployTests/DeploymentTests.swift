// The files of `deploy/` against the checkers that this machine has.
import Foundation
import Testing

@testable import turbine

@Suite struct DeploymentTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let python = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"]
    private static let analyzer = "/usr/bin/systemd-analyze"

    private func run(_ path: String, _ arguments: [String]) async throws
        -> (code: Int32, text: String)
    {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-deploy-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = Self.root
        process.standardOutput = output
        process.standardError = output
        let code = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return (code, try String(contentsOf: file, encoding: .utf8))
    }

    @Test(
        .enabled(
            if: python != nil,
            "TURBINE_TEST_PYTHON names a Python with the packages of the tests"))
    func manifestsFollowTheirSchemas() async throws {
        let script = "Tests/DeployTests/Scripts/check_deploy.py"
        let result = try await run(Self.python ?? "", [script, "deploy"])
        #expect(result.code == 0, "\(result.text)")
    }

    /// What the files tell the program to do, it can do: its own parser reads their commands.
    @Test(
        .enabled(
            if: python != nil,
            "TURBINE_TEST_PYTHON names a Python with the packages of the tests"))
    func commandsAreTheProgramsOwn() async throws {
        let script = "Tests/DeployTests/Scripts/check_deploy.py"
        let result = try await run(Self.python ?? "", [script, "deploy", "--commands"])
        let commands = try result.text.split(separator: "\n").map {
            try JSONDecoder().decode([String].self, from: Data($0.utf8))
        }
        #expect(commands.count == 6, "two units, two services, two workloads")
        for arguments in commands {
            let command = try TurbineCommand.parseAsRoot(arguments)
            switch arguments.first {
            case "broker":
                let broker = try #require(command as? BrokerCommand)
                let isLocal = broker.options.keys == nil
                #expect(broker.http?.hasPrefix(isLocal ? "127.0.0.1:" : "0.0.0.0:") == true)
                #expect(broker.options.data == "/var/lib/turbine")
            default: #expect(command is WorkerCommand, "\(arguments)")
            }
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: analyzer)))
    func unitsAreWhatSystemdUnderstands() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-units-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["turbine-broker.service", "turbine-worker@.service"] {
            let unit = Self.root.appendingPathComponent("deploy/systemd/\(name)")
            // A program that is there on every machine, so that nothing is left to complain of.
            let text = try String(contentsOf: unit, encoding: .utf8)
                .replacing("/usr/local/bin/turbine", with: "/bin/true")
                .replacing(/Documentation=.*/, with: "")
            let copy = folder.appendingPathComponent(name)
            try text.write(to: copy, atomically: true, encoding: .utf8)
            let result = try await run(Self.analyzer, ["verify", "--man=no", copy.path])
            let complaints = result.text.split(separator: "\n")
                .filter { $0.contains(folder.path) || $0.contains("turbine-") }
            #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
            // The check sees what is wrong.
            try (text + "\n[Service]\nNoSuchSetting=1\n")
                .write(to: copy, atomically: true, encoding: .utf8)
            let wrong = try await run(Self.analyzer, ["verify", "--man=no", copy.path])
            #expect(wrong.text.contains("NoSuchSetting"))
            try FileManager.default.removeItem(at: copy)
        }
    }

    @Test func theImageRunsWithoutPrivileges() throws {
        let path = Self.root.appendingPathComponent("deploy/Dockerfile")
        let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
        let stages = lines.indices.filter { lines[$0].hasPrefix("FROM ") }
        #expect(stages.count == 2, "build and run time are apart")
        let final = lines[(stages.last ?? 0)...]
        #expect(final.contains { $0.hasPrefix("USER 10001") })
        #expect(!final.contains { $0.contains("swift:") || $0.contains("-dev ") })
    }

    @Test func everyMetricOfTheOperatorsPageExists() throws {
        let page = try String(
            contentsOf: Self.root.appendingPathComponent("docs/operations.md"), encoding: .utf8)
        let metrics = try String(
            contentsOf: Self.root.appendingPathComponent("Sources/StatusHTTP/MetricsText.swift"),
            encoding: .utf8)
        let alarms = try String(
            contentsOf: Self.root.appendingPathComponent("deploy/prometheus/alerts.yaml"),
            encoding: .utf8)
        let names = (page + alarms).matches(of: /turbine_[a-z_]+[a-z]/).map { String($0.output) }
        #expect(names.count > 10)
        for name in Set(names) {
            let base = name.replacing(/_(bucket|sum|count)$/, with: "")
            #expect(metrics.contains("\"\(base)\""), "\(name)")
        }
    }
}
