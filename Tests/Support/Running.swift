// A program that runs beside the test, and whatever happens does not outlive it.
import Foundation

/// A process that has been started, in a process group of its own; the group is killed when the
/// value is let go. Its output goes to files, so that it never waits for a reader.
public final class Running {
    private let process = Process()
    private let scratch: TemporaryFolder

    /// Starts a program.
    /// - Parameters:
    ///   - input: what it reads
    ///   - folder: its working folder
    ///   - environment: variables beside those of the test
    public init(
        _ path: String, _ arguments: [String], input: Data = Data(), folder: String = "/",
        environment extra: [String: String] = [:]
    ) throws {
        scratch = try TemporaryFolder()
        try input.write(to: scratch.url("input"))
        for name in ["output", "errors"] { try Data().write(to: scratch.url(name)) }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = "\(Turbine.folder):\(environment["PATH"] ?? "")"
        process.environment = environment.merging(extra) { _, new in new }
        process.standardInput = try FileHandle(forReadingFrom: scratch.url("input"))
        process.standardOutput = try FileHandle(forWritingTo: scratch.url("output"))
        process.standardError = try FileHandle(forWritingTo: scratch.url("errors"))
        try process.run()
    }

    deinit {
        guard process.isRunning else { return }
        let identifier = process.processIdentifier
        kill(getpgid(identifier) == identifier ? -identifier : identifier, SIGKILL)
        process.waitUntilExit()
    }

    public var isRunning: Bool { process.isRunning }

    public var processIdentifier: pid_t { process.processIdentifier }

    /// What it has written so far.
    public var output: String { text("output") }
    public var errors: String { text("errors") }

    private func text(_ name: String) -> String {
        String(decoding: (try? scratch.data(name)) ?? Data(), as: UTF8.self)
    }

    public func send(_ signal: Int32) {
        guard process.isRunning else { return }
        kill(process.processIdentifier, signal)
    }

    /// Waits for the end; a process that takes longer than `seconds` is killed.
    public func wait(seconds: Double = 120) throws -> Turbine.Outcome {
        let identifier = process.processIdentifier
        let limit = DispatchWorkItem { kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: limit)
        process.waitUntilExit()
        limit.cancel()
        let isExit = process.terminationReason == .exit
        return Turbine.Outcome(
            exitCode: isExit ? process.terminationStatus : nil, output: output, errors: errors)
    }

    /// Waits until `condition` holds or the process has ended.
    public func wait(until condition: () -> Bool) {
        while isRunning, !condition() { usleep(2_000) }
    }
}
