// The command line.
import ArgumentParser
import Foundation
import ImagePipeline

/// The root command.
struct TurbineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turbine",
        abstract: "Image generation with models of the Z-Image family, on the CPU.",
        version: turbineVersion,
        subcommands: [
            GenerateCommand.self, InspectCommand.self, TokenizeCommand.self, BrokerCommand.self,
            KeygenCommand.self,
        ])
}

/// The program: parses, runs, and turns every error into one sentence on standard error.
@main enum Program {
    static func main() {
        do {
            var command = try TurbineCommand.parseAsRoot(try CommandLine.checkedArguments())
            try command.run()
        } catch {
            let code = TurbineCommand.exitCode(for: error)
            if code == .success {
                print(TurbineCommand.fullMessage(for: error))
            } else if !(error is ExitCode) {
                StandardError.write("turbine: \(TurbineCommand.message(for: error))")
            }
            exit(code.rawValue)
        }
    }
}

enum StandardError {
    /// One line on standard error.
    static func write(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

extension CommandLine {
    /// The arguments after the program's name.
    /// - Throws: an error for an argument that is not UTF-8, which would otherwise be altered
    ///   silently.
    static func checkedArguments() throws -> [String] {
        try (1..<max(Int(argc), 1)).map { index in
            guard let bytes = unsafeArgv[index], let text = String(validatingCString: bytes) else {
                throw ValidationError("Argument \(index) is not valid UTF-8; pass text in UTF-8.")
            }
            return text
        }
    }
}
