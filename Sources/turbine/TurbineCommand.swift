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
            GenerateCommand.self, InspectCommand.self, TokenizeCommand.self,
            WorkerCommand.self, SubmitCommand.self, AttachCommand.self, CancelCommand.self,
            JobsCommand.self, StatusCommand.self, QuarantineCommand.self,
            BrokerCommand.self, UpCommand.self, KeygenCommand.self, TrainCommand.self,
            DistillCommand.self, EvaluateCommand.self,
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
                StandardError.write("turbine: \(message(for: error))")
            }
            exit(code.rawValue)
        }
    }

    /// What is wrong, and what to do about it. The parser's own messages say only the first.
    private static func message(for error: any Error) -> String {
        let message = TurbineCommand.message(for: error)
        let isParserError =
            TurbineCommand.exitCode(for: error) == .validationFailure && !(error is ValidationError)
        guard isParserError else { return message }
        let name = CommandLine.arguments.dropFirst().first ?? ""
        let isCommand = TurbineCommand.configuration.subcommands.contains {
            $0.configuration.commandName == name
        }
        let help = isCommand ? "turbine \(name) --help" : "turbine --help"
        return message + (message.hasSuffix("?") ? " " : "; ") + "'\(help)' tells what there is"
    }
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
