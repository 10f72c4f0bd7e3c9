// Runs the built command line as its users do: as a process of its own.
import Foundation
import TestSupport

/// The built `turbine`.
enum Turbine {
    /// The folder of the binary, which is that of the test program too.
    static let folder: String = {
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: program ?? "/").deletingLastPathComponent().path
    }()
    static let path = "\(folder)/turbine"

    /// The model in the box.
    static let boxModel = Repository.path("Models/emoji")

    /// What a process left behind.
    struct Outcome {
        /// nil when a signal ended the process.
        var exitCode: Int32?
        var output: String
        var errors: String

        var succeeded: Bool { exitCode == 0 }
        var outputLines: [String] { output.split(separator: "\n").map(String.init) }

        /// Standard output as a JSON object.
        func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
            return value as? [String: Any] ?? [:]
        }
    }

    /// Runs `turbine` to its end.
    static func run(
        _ arguments: [String], input: Data = Data(), folder: String = "/"
    ) throws -> Outcome {
        try Running(path, arguments, input: input, folder: folder).wait()
    }

    /// Runs a shell script that finds `turbine` on its PATH.
    static func shell(_ script: String, folder: String = "/") throws -> Outcome {
        try Running("/bin/sh", ["-ec", script], folder: folder).wait()
    }

    /// The quickest request of the box model, its options before those given.
    static func generate(_ arguments: [String], folder: String) throws -> Outcome {
        try run(["generate"] + small + arguments, folder: folder)
    }

    /// A request that the box model answers in tenths of a second.
    static let small = ["--width", "64", "--height", "48", "--steps", "2", "--seed", "5"]

    /// The pixel hashes of the images that `--json` reports.
    static func hashes(_ outcome: Outcome) throws -> [String] {
        try images(outcome).compactMap { $0["sha256"] as? String }
    }

    /// The images that `--json` reports.
    static func images(_ outcome: Outcome) throws -> [[String: Any]] {
        let report = try outcome.json()["report"] as? [String: Any]
        return report?["images"] as? [[String: Any]] ?? []
    }
}

/// A process that has been started. Its output goes to files, so that it never waits for a reader.
final class Running {
    private let process = Process()
    private let scratch: TemporaryFolder

    init(
        _ path: String, _ arguments: [String], input: Data = Data(), folder: String = "/"
    ) throws {
        scratch = try TemporaryFolder()
        try input.write(to: scratch.url("input"))
        for name in ["output", "errors"] { try Data().write(to: scratch.url(name)) }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = "\(Turbine.folder):\(environment["PATH"] ?? "")"
        process.environment = environment
        process.standardInput = try FileHandle(forReadingFrom: scratch.url("input"))
        process.standardOutput = try FileHandle(forWritingTo: scratch.url("output"))
        process.standardError = try FileHandle(forWritingTo: scratch.url("errors"))
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Waits for the end; a process that takes longer than `seconds` is killed.
    func wait(seconds: Double = 120) throws -> Turbine.Outcome {
        let identifier = process.processIdentifier
        let limit = DispatchWorkItem { kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: limit)
        process.waitUntilExit()
        limit.cancel()
        let isExit = process.terminationReason == .exit
        return Turbine.Outcome(
            exitCode: isExit ? process.terminationStatus : nil,
            output: String(decoding: try Data(contentsOf: scratch.url("output")), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: scratch.url("errors")), as: UTF8.self))
    }

    /// Waits until `condition` holds or the process has ended.
    func wait(until condition: () -> Bool) {
        while isRunning, !condition() { usleep(2_000) }
    }
}
