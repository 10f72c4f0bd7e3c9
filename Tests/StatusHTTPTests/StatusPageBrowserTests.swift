// The page in a real browser: TURBINE_TEST_CHROMIUM names a Chromium;
// TURBINE_TEST_SCREENSHOTS a folder to keep the pictures in.
import Foundation
import StatusHTTP
import Testing

@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["TURBINE_TEST_CHROMIUM"] != nil,
        "TURBINE_TEST_CHROMIUM names a Chromium"))
struct StatusPageBrowserTests {
    private func chromium(_ arguments: [String]) async throws -> (code: Int32, output: String) {
        let environment = ProcessInfo.processInfo.environment
        let profile = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-chromium-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: profile) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: environment["TURBINE_TEST_CHROMIUM"] ?? "")
        process.arguments =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--user-data-dir=\(profile.path)", "--hide-scrollbars",
            ] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                do {
                    try process.run()
                    let data = output.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    let text = String(decoding: data, as: UTF8.self)
                    continuation.resume(returning: (process.terminationStatus, text))
                } catch { continuation.resume(throwing: error) }
            }
        }
    }

    @Test func theDOMHoldsTheJobsAndNoForeignScriptRan() async throws {
        try await RawHTTP.withServer(try StatusServerTests.server()) { port async throws in
            // Five seconds of virtual time: the page has exchanged its main part twice.
            let run = try await chromium([
                "--virtual-time-budget=5000", "--dump-dom", "http://127.0.0.1:\(port)/",
            ])
            #expect(run.code == 0)
            for id in 30...46 {
                #expect(run.output.contains("id=\"job-\(id)\""), "job \(id)")
            }
            #expect(run.output.contains("a red fox in the snow"))
            #expect(run.output.contains("<title>Turbine: 2 running, 123 waiting</title>"))
            #expect(run.output.contains("id=\"lost\" role=\"status\" hidden"))
            #expect(!run.output.contains("<title>owned"))
        }
    }

    @Test(arguments: ["light", "dark"])
    func itCanBePhotographed(scheme: String) async throws {
        let folder =
            ProcessInfo.processInfo.environment["TURBINE_TEST_SCREENSHOTS"]
            ?? FileManager.default.temporaryDirectory.path
        let path = "\(folder)/turbine-status-\(scheme).png"
        try await RawHTTP.withServer(try StatusServerTests.server()) { port async throws in
            var arguments = [
                "--virtual-time-budget=5000", "--window-size=1180,1700", "--screenshot=\(path)",
            ]
            if scheme == "dark" {
                arguments.append("--blink-settings=preferredColorScheme=0")
            }
            let run = try await chromium(arguments + ["http://127.0.0.1:\(port)/"])
            #expect(run.code == 0)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            #expect((size ?? 0) > 50_000, "an empty page would be smaller")
        }
    }
}
