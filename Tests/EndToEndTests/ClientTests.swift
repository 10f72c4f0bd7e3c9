// Clients in Python against a broker and two workers.
import Foundation
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestPython.isThere, "TURBINE_TEST_PYTHON names a Python"))
struct ClientTests {
    /// pytest on some files, which find the service in TURBINE_ENDPOINT.
    private func pytest(_ files: [String], endpoint: String = "") throws -> Turbine.Outcome {
        let folder = try TemporaryFolder()
        let options = ["-q", "--tb=short", "-p", "no:cacheprovider", "--durations=3", "-rs"]
        return try TestPython.start(
            ["-m", "pytest"] + options + ["--basetemp", folder.file("pytest")] + files,
            folder: folder.path, environment: ["TURBINE_ENDPOINT": endpoint]
        ).wait(seconds: 280)
    }

    private func expectAllPassed(_ outcome: Turbine.Outcome, atLeast count: Int) throws {
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        let summary = try #require(outcome.outputLines.last)
        let passed = summary.firstMatch(of: /(\d+) passed/).flatMap { Int($0.1) } ?? 0
        #expect(passed >= count && !summary.contains("skipped"), "\(summary)")
    }

    @Test func thePackageForPython() throws {
        let service = try Service(workers: ["one", "two"])
        let outcome = try pytest(
            [Service.script("test_python_client.py")], endpoint: service.clientEndpoint)
        try expectAllPassed(outcome, atLeast: 13)
    }

    @Test func plainSocketsAndTheProtocolPage() throws {
        let service = try Service(workers: ["one", "two"])
        let outcome = try pytest(
            [Service.script("test_protocol.py")], endpoint: service.clientEndpoint)
        try expectAllPassed(outcome, atLeast: 6)
        let state = try service.status()
        #expect(state.failed == 0 && state.cancelled == 0 && state.completed >= 605)
    }

    /// The package's own tests, which bring a broker of their own that can be made to misbehave.
    @Test func thePackagesOwnTests() throws {
        try expectAllPassed(pytest([Repository.path("Clients/python/tests")]), atLeast: 10)
    }

    /// The measurement of the service, at a size that only shows that it works.
    @Test func theMeasurementRuns() throws {
        let script = Repository.path("scripts/service_latency.py")
        let outcome = try TestPython.start([script, "--smoke", "--turbine", Turbine.path]).wait()
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(outcome.output.contains("warm request to PNG"))
        #expect(outcome.outputLines.last?.wholeMatch(of: /image [0-9a-f]{64}/) != nil)
    }
}
