// Runs the built command line as its users do: as a process of its own.
import Foundation

/// The built `turbine`.
public enum Turbine {
    /// The folder of the binary, which is that of the test program too.
    public static let folder: String = {
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: program ?? "/").deletingLastPathComponent().path
    }()
    public static let path = "\(folder)/turbine"

    /// The model in the box.
    public static let boxModel = Repository.path("Models/emoji")

    /// What a process left behind.
    public struct Outcome: Sendable {
        /// nil when a signal ended the process.
        public let exitCode: Int32?
        public let output: String
        public let errors: String

        public var succeeded: Bool { exitCode == 0 }
        public var outputLines: [String] { output.split(separator: "\n").map(String.init) }

        /// Standard output as a JSON object.
        public func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
            return value as? [String: Any] ?? [:]
        }
    }

    /// Runs `turbine` to its end.
    public static func run(
        _ arguments: [String], input: Data = Data(), folder: String = "/"
    ) throws -> Outcome {
        try Running(path, arguments, input: input, folder: folder).wait()
    }

    /// Runs a shell script that finds `turbine` on its PATH.
    public static func shell(_ script: String, folder: String = "/") throws -> Outcome {
        try Running("/bin/sh", ["-ec", script], folder: folder).wait()
    }

    /// The quickest request of the box model, its options before those given.
    public static func generate(_ arguments: [String], folder: String) throws -> Outcome {
        try run(["generate"] + small + arguments, folder: folder)
    }

    /// A request that the box model answers in tenths of a second.
    public static let small = ["--width", "64", "--height", "48", "--steps", "2", "--seed", "5"]

    /// The pixel hashes of the images that `--json` reports.
    public static func hashes(_ outcome: Outcome) throws -> [String] {
        try images(outcome).compactMap { $0["sha256"] as? String }
    }

    /// The images that `--json` reports.
    public static func images(_ outcome: Outcome) throws -> [[String: Any]] {
        let report = try outcome.json()["report"] as? [String: Any]
        return report?["images"] as? [[String: Any]] ?? []
    }
}
