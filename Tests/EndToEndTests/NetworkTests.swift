// Workers on other machines, as far as one machine can have them: network namespaces, with CURVE.
import Foundation
import TestSupport
import Testing

@Suite struct NetworkTests {
    /// Without it the script does nothing and says why.
    private static let skipped: Int32 = 77
    private static let script = Repository.path("scripts/two_namespaces.py")

    private struct Report: Decodable {
        let served: [String: Int]
        let turnedAway: [String]
        let movedAfterSeconds: Double
        let sameImage: Bool
    }

    @Test func workersInTwoNamespaces() throws {
        let outcome = try Running(
            "/usr/bin/env", ["python3", Self.script, "--turbine", Turbine.path]
        )
        .wait(seconds: 400)
        if outcome.exitCode == Self.skipped {
            try Test.cancel("\(outcome.errors)")
        }
        #expect(outcome.succeeded, "\(outcome.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect(Set(report.served.keys) == ["a", "b"])
        #expect(report.turnedAway == ["client", "keyless", "unknown"])
        #expect(report.sameImage)
        // Three heartbeats of a second missed; a shared machine may take its time to notice.
        #expect(report.movedAfterSeconds < 20)
    }
}
