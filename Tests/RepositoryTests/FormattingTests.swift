// The formatter has nothing to say.
import Foundation
import TestSupport
import Testing

@Suite struct FormattingTests {
    /// The `swift` of the toolchain, if it is on the PATH.
    private static let swift: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").map { "\($0)/swift" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    @Test(.enabled(if: swift != nil, "needs swift on the PATH")) func sourcesAreFormatted() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.swift))
        process.currentDirectoryURL = Repository.root
        process.arguments = [
            "format", "lint", "--strict", "--recursive", "Package.swift", "Sources", "Tests",
            "Benchmarks",
        ]
        let output = Pipe()
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let findings = text.split(separator: "\n").filter { $0.contains("Sources/") }
        let files = Set(findings.map { $0.prefix { $0 != ":" } }).sorted()
        #expect(process.terminationStatus == 0, "make format changes \(files)")
    }
}
