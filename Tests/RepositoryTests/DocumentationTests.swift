// What the documents say is there, is there.
import Foundation
import TestSupport
import Testing

@Suite struct DocumentationTests {
    private static let documents = SourceTree.files("md")

    /// The names before the colons of the Makefile's rules.
    private static var makeTargets: Set<String> {
        let lines = SourceTree.file("Makefile")?.lines ?? []
        let rules = lines.compactMap { $0.firstMatch(of: /^([a-z][a-z-]*):( |$)/)?.1 }
        return Set(rules.map(String.init))
    }

    @Test func makeCommandsExist() {
        #expect(Self.makeTargets.isSuperset(of: ["demo", "build", "test", "lint", "parity"]))
        for document in Self.documents {
            for line in document.lines {
                for match in line.matches(of: /(?:^|`)make ([a-z][a-z-]*)/) {
                    #expect(
                        Self.makeTargets.contains(String(match.1)), "\(document): make \(match.1)")
                }
            }
        }
    }

    @Test func continuousIntegrationRunsTheReadmesTestCommand() throws {
        let readme = try #require(SourceTree.file("README.md"))
        let script = try #require(SourceTree.file(".ci/run"))
        #expect(readme.lines.contains { $0.hasPrefix("make test") })
        #expect(script.lines.contains("make test"))
    }

    /// Links between documents, and files named in them.
    @Test func namedFilesExist() {
        var count = 0
        for document in Self.documents {
            let folder = URL(fileURLWithPath: Repository.path(document.path))
                .deletingLastPathComponent()
            for match in document.text.matches(of: /\]\(([^)#\s]+)[^)]*\)/) {
                let target = String(match.1)
                guard !target.contains("://") else { continue }
                let path = folder.appendingPathComponent(target).path
                #expect(FileManager.default.fileExists(atPath: path), "\(document): \(target)")
                count += 1
            }
            let named =
                #/
                `((?:Benchmarks|Models|Proto|Sources|Tests|config|deploy|docs|scripts)
                /[^`*<>\ ]*)`
                /#
            for match in document.text.matches(of: named) {
                let path = Repository.path(String(match.1))
                #expect(FileManager.default.fileExists(atPath: path), "\(document): \(match.1)")
                count += 1
            }
        }
        #expect(count > 40)
    }

    /// Documents that comments in sources send the reader to.
    @Test func documentsNamedInSourcesExist() {
        for file in SourceTree.files("swift", "c", "h", "py") {
            for match in file.text.matches(of: /docs\/[A-Za-z0-9\/._-]+\.md/) {
                #expect(SourceTree.file(String(match.output)) != nil, "\(file): \(match.output)")
            }
        }
    }

    @Test func theFileMapNamesEveryTarget() throws {
        let map = try #require(SourceTree.file("docs/architecture.md")).text
        let targets = try FileManager.default.contentsOfDirectory(
            atPath: Repository.path("Sources"))
        for target in targets { #expect(map.contains("`\(target)`"), "\(target)") }
    }

    /// The table of the architecture page is the one that the package states.
    @Test func theTableOfTargetsIsThePackages() throws {
        let package = try #require(SourceTree.file("Package.swift")).text
        let map = try #require(SourceTree.file("docs/architecture.md"))
        let declaration =
            #/
            \.(?:executableTarget|target)\(\s* name:\ "([A-Za-z0-9-]+)"
            (?: ,\s* dependencies:\ \[ ([^\]]*) \] )?
            /#
        var count = 0
        for match in package.matches(of: declaration) where match.1 != "TestSupport" {
            // Products stand with their packages, whose names are in lower case.
            let names = (match.2 ?? "").matches(of: /"([A-Z][A-Za-z]*)"/).map { String($0.1) }
            let row = try #require(
                map.lines.first { $0.hasPrefix("| `\(match.1)` |") }, "\(match.1) has no row")
            let cell = row.split(separator: "|").last.map(String.init) ?? ""
            let stated = cell.matches(of: /`([A-Za-z]+)`/).map { String($0.1) }
            #expect(
                Set(stated) == Set(names), "row of \(match.1)")
            count += 1
        }
        #expect(count >= 8)
    }

    @Test func decisionsAreNumberedAndTitled() {
        let decisions = Self.documents.filter { $0.path.hasPrefix("docs/decisions/") }
        #expect(!decisions.isEmpty)
        for (index, file) in decisions.enumerated() {
            let number = String(format: "%04d", index + 1)
            #expect(file.name.hasPrefix("\(number)-"), "\(file)")
            #expect(file.text.hasPrefix("# \(number) "), "\(file)")
            #expect(file.lines.count < 60, "\(file): one page")
        }
    }
}
