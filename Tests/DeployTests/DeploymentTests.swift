// The files of `deploy/` against the checkers that this machine has.
import Foundation
import Testing

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
            "TURBINE_TEST_PYTHON names a Python with kubernetes-validate and PyYAML"))
    func manifestsFollowTheirSchemas() async throws {
        let script = "Tests/DeployTests/Scripts/check_deploy.py"
        let result = try await run(Self.python ?? "", [script, "deploy"])
        #expect(result.code == 0, "\(result.text)")
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: analyzer)))
    func unitsAreWhatSystemdUnderstands() async throws {
        for name in ["turbine-broker.service", "turbine-worker@.service"] {
            let path = "deploy/systemd/\(name)"
            let result = try await run(Self.analyzer, ["verify", "--man=no", path])
            let complaints = result.text.split(separator: "\n").filter { line in
                line.contains("turbine-") && !line.contains("is not executable")
            }
            #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
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
        let names = page.matches(of: /turbine_[a-z_]+[a-z]/).map { String($0.output) }
        #expect(names.count > 10)
        for name in Set(names) {
            let base = name.replacing(/_(bucket|sum|count)$/, with: "")
            #expect(metrics.contains("\"\(base)\""), "\(name)")
        }
    }
}
