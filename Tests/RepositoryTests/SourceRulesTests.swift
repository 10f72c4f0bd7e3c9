// Rules for source files that a program can check.
import Foundation
import TestSupport
import Testing

@Suite struct SourceRulesTests {
    /// Tables that a script wrote.
    private static let generated = [
        "Sources/Tokenizers/CharacterTables.swift", "Sources/Tokenizers/NormalizationTables.swift",
        "Sources/Tokenizers/NormalizationData.swift",
    ]
    private static let generatedFolders = ["Sources/CTurbineProto/"]

    private static func isGenerated(_ file: SourceFile) -> Bool {
        generated.contains(file.path) || generatedFolders.contains { file.path.hasPrefix($0) }
    }

    private static var written: [SourceFile] {
        SourceTree.files("swift", "c", "h", "py").filter { !isGenerated($0) }
    }

    @Test func theRulesSeeTheSources() {
        #expect(SourceTree.files("swift").count > 100)
        #expect(SourceTree.files("c", "h").count >= 8)
        #expect(SourceTree.files("py").count > 5)
        for name in ["Makefile", "README.md", ".ci/run", "docs/architecture.md"] {
            #expect(SourceTree.file(name) != nil, "\(name)")
        }
    }

    @Test func filesAreShort() {
        let long = Self.written.filter { $0.lines.count > 501 }
        #expect(long.map(\.path).isEmpty, "over 500 lines")
    }

    @Test func linesAreShort() {
        let places = Self.written.flatMap { file in
            file.places { line in
                // A long address cannot be broken.
                line.count > 100 && !line.contains("https://")
            }
        }
        #expect(places.isEmpty, "over 100 columns")
    }

    @Test func filesSayWhatTheyAre() {
        let silent = SourceTree.files("swift", "c", "h", "py").filter { file in
            guard let first = file.lines.first else { return true }
            let openings =
                file.suffix == "py" ? ["\"\"\"", "#", "r\"\"\""] : ["//", "/*"]
            return !openings.contains { first.hasPrefix($0) }
        }
        #expect(silent.map(\.path).isEmpty, "no header comment")
    }

    /// Fragments that may not occur, put together here so that this file has none of them.
    private static let banned = [
        "try" + "!", "fatal" + "Error(", "TO" + "DO", "FIX" + "ME",
    ]

    @Test(arguments: banned) func isNotUsed(fragment: String) {
        let places = SourceTree.files("swift", "c", "h", "py", "md").flatMap { file in
            file.places { $0.contains(fragment) }
        }
        #expect(places.isEmpty)
    }

    /// Escapes from the checks on data races: only where C is wrapped, with the reason beside.
    @Test func dataRaceEscapesAreExplained() {
        let escapes = ["@unchecked " + "Sendable", "nonisolated(" + "unsafe)"]
        let wrappers = ["Sources/ZeroMQSockets/", "Sources/TensorCore/ThreadPool.swift"]
        for file in SourceTree.files("swift") {
            let lines = file.lines
            for (index, line) in lines.enumerated()
            where escapes.contains(where: { line.contains($0) }) {
                let place = "\(file.path):\(index + 1)"
                #expect(wrappers.contains { file.path.hasPrefix($0) }, "\(place)")
                let before = index > 0 ? lines[index - 1] : ""
                #expect(line.contains("//") || before.contains("//"), "\(place): no reason")
            }
        }
    }

    @Test func librariesDoNotPrint() {
        let call = /(^|[^A-Za-z0-9_.])(print|debugPrint|NSLog)\(/
        let libraries = SourceTree.files("swift").filter {
            $0.path.hasPrefix("Sources/") && !$0.path.hasPrefix("Sources/turbine/")
        }
        let places = libraries.flatMap { file in
            file.places { line in
                let code = line.drop { $0 == " " }
                return !code.hasPrefix("//") && code.contains(call)
            }
        }
        #expect(places.isEmpty)
        #expect(libraries.count > 50)
    }

    /// Nothing may depend on, or tell of, the machine on which it was written.
    @Test func noMachinePathsAndNoHosts() {
        let fragments = [
            "/wo" + "rk/", "/opt" + "/ref", "/ro" + "ot/", "py" + "pi.org", "python" + "hosted",
            "debian" + ".org", "hugging" + "face.co", "docker" + ".io",
        ]
        let places = SourceTree.files.flatMap { file in
            file.places { line in fragments.contains { line.contains($0) } }
        }
        #expect(places.isEmpty)
    }

    @Test func noPlaceholdersAreLeft() {
        let names = SourceTree.files.map(\.name)
        #expect(!names.contains { $0.lowercased().contains("placeholder") })
    }

    /// Each library has its tests, and each test target something to test.
    @Test func targetsAndTestsMatch() throws {
        let manager = FileManager.default
        let targets = try manager.contentsOfDirectory(atPath: Repository.path("Sources"))
        let tests = try manager.contentsOfDirectory(atPath: Repository.path("Tests"))
        let wrappers = targets.filter { $0.hasPrefix("C") && $0.dropFirst().first!.isUppercase }
        let others = ["CommandLineTests", "DeployTests", "EndToEndTests", "RepositoryTests"]
        // Layers are tested in the model that is made of them.
        let elsewhere = wrappers + ["NeuralLayers"]
        for target in targets where !elsewhere.contains(target) {
            #expect(tests.contains("\(target)Tests"), "\(target)")
        }
        for test in tests where test.hasSuffix("Tests") && !others.contains(test) {
            #expect(targets.contains(String(test.dropLast(5))), "\(test)")
        }
    }
}
