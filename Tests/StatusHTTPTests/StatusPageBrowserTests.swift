// The page in a real browser, started once for all that is to be seen. TURBINE_TEST_CHROMIUM names
// a Chromium and TURBINE_TEST_PYTHON a Python; TURBINE_TEST_SCREENSHOTS a folder to keep the
// pictures in.
import Foundation
import QueueCore
import StatusHTTP
import Synchronization
import Testing

@Suite(
    .enabled(
        if: environment["TURBINE_TEST_CHROMIUM"] != nil
            && environment["TURBINE_TEST_PYTHON"] != nil,
        "TURBINE_TEST_CHROMIUM and TURBINE_TEST_PYTHON name a Chromium and a Python"))
struct StatusPageBrowserTests {
    private static let checks = [
        "the page is there", "rows", "thumbnails", "title", "hostile text is text",
        "lost is hidden", "progress", "picture light", "fits 320", "fits 390", "picture narrow",
        "fits 800", "dark", "picture dark", "a job that ends appears", "its thumbnail",
        "without a reload", "pictures stay", "no complaints", "a lost broker is told",
        "the last state stays", "a broker that is back, too", "still without a reload",
    ]

    @Test func peopleSeeWhatHappens() async throws {
        let hasChanged = Atomic(false)
        let source: @Sendable () -> StatusSource = {
            hasChanged.load(ordering: .relaxed)
                ? SampleStatus.source(SampleStatus.endOne) : SampleStatus.source()
        }
        let first = try StatusServerTests.server(source: source)
        let port = try await first.start()
        let again = try StatusServerTests.server(
            address: "127.0.0.1:\(port)", source: source)
        let folder = try Self.screenshots()
        defer { if environment["TURBINE_TEST_SCREENSHOTS"] == nil { remove(folder) } }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Scripts/check_page.py").path
        let dialogue = try Dialogue(
            [environment["TURBINE_TEST_PYTHON"] ?? "", script]
                + [environment["TURBINE_TEST_CHROMIUM"] ?? "", "http://127.0.0.1:\(port)/", folder]
                + (29...46).map { "\($0)" })
        var lines: [String] = []
        for await line in dialogue.lines {
            lines.append(line)
            switch line {
            case "do: change": hasChanged.store(true, ordering: .relaxed)
            case "do: stop": await first.stop()
            case "do: start": try await again.start()
            default: continue
            }
            dialogue.goOn()
        }
        await again.stop()
        await first.stop()
        #expect(dialogue.wait() == 0)
        let log = lines.joined(separator: "\n")
        for check in Self.checks { #expect(lines.contains("ok: \(check)"), "\(check)\n\(log)") }
    }

    private static func screenshots() throws -> String {
        if let folder = environment["TURBINE_TEST_SCREENSHOTS"] { return folder }
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-screenshots-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }

    private func remove(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}

private let environment = ProcessInfo.processInfo.environment

/// A program that is read line by line and told to go on.
private final class Dialogue {
    /// What it says, until it ends.
    let lines: AsyncStream<String>
    private let process = Process()
    private let input = Pipe()

    init(_ command: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        let (lines, continuation) = AsyncStream<String>.makeStream()
        self.lines = lines
        try process.run()
        let reader = output.fileHandleForReading
        Thread.detachNewThread {
            var rest = Data()
            while true {
                let data = reader.availableData
                if data.isEmpty { break }
                rest += data
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest = rest[rest.index(after: end)...]
                }
            }
            continuation.finish()
        }
    }

    func goOn() { input.fileHandleForWriting.write(Data("\n".utf8)) }

    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}
