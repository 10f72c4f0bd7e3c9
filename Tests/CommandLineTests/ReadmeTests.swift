// Every command that README shows works as shown.
import Foundation
import TestSupport
import Testing

@Suite struct ReadmeTests {
    /// The commands of README's `sh` blocks, in order.
    private static func commands() throws -> [String] {
        let text = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        var commands: [String] = []
        var isCode = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isCode = line == "```sh"
            } else if isCode, !line.isEmpty {
                commands.append(String(line))
            }
        }
        return commands
    }

    /// In one folder, one after the other, as a reader would: later commands use what earlier ones
    /// left. Commands of make are checked to be targets elsewhere; they build and test everything.
    @Test func everyCommandWorks() throws {
        let folder = try TemporaryFolder()
        for name in ["Models", "config"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.file(name), withDestinationPath: Repository.path(name))
        }
        let commands = try Self.commands().filter { !$0.hasPrefix("make ") }
        #expect(commands.count >= 10)
        for command in commands {
            #expect(command.contains("turbine "), "\(command)")
            let outcome = try Turbine.shell(command, folder: folder.path)
            #expect(outcome.succeeded, "\(command): \(outcome.errors)")
            #expect(outcome.errors.isEmpty, "\(command)")
            if let output = command.firstMatch(of: /--output (\S+)/)?.1,
                !command.contains("--count")
            {
                #expect(try PNGFile(folder.data(String(output))).width > 0, "\(command)")
            }
        }
        #expect(folder.exists("cat-2.png"))
    }

    /// The first picture is the one that the documents show.
    @Test func theDemoMakesTheSamePictureAsReadme() throws {
        let makefile = try String(contentsOfFile: Repository.path("Makefile"), encoding: .utf8)
        let demo = try #require(makefile.firstMatch(of: /\$\(TURBINE\) (generate .*)\n/)?.1)
        #expect(
            try Self.commands().contains("turbine \(demo)".replacing("demo.png", with: "heart.png"))
        )
    }

    /// The options that README and the help name are the same.
    @Test func namedOptionsExist() throws {
        let help = try Turbine.run(["generate", "--help"]).output
        let readme = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        let known = Set(help.matches(of: /--[a-z-]+/).map { String($0.output) })
            .union(["--chat", "--json"])
        let named = Set(readme.matches(of: /--[a-z][a-z-]+/).map { String($0.output) })
        #expect(named.subtracting(known) == [])
        #expect(named.count > 25)
    }
}
