// The repository's own files, as the rules see them.
import Foundation
import TestSupport

/// A text file of the repository.
struct SourceFile: CustomStringConvertible {
    /// Relative to the root.
    let path: String
    let text: String

    var description: String { path }
    var name: String { URL(fileURLWithPath: path).lastPathComponent }
    var suffix: String { URL(fileURLWithPath: path).pathExtension }

    var lines: [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Lines numbered from 1 that `isFault` holds for, as `path:line`.
    func places(where isFault: (Substring) -> Bool) -> [String] {
        lines.enumerated().filter { isFault($0.element) }.map { "\(path):\($0.offset + 1)" }
    }
}

enum SourceTree {
    /// Everything that people write; what builds and tools leave behind lies elsewhere.
    private static let folders = [
        ".ci", "Benchmarks", "Clients", "Models", "Proto", "Sources", "Tests", "config", "deploy",
        "docs", "scripts",
    ]
    private static let rootFiles = ["Makefile", "Package.swift", "README.md", ".swift-format"]
    private static let textSuffixes = [
        "c", "h", "html", "json", "md", "modulemap", "proto", "py", "sh", "swift", "toml", "txt",
        "yaml", "yml", "",
    ]
    /// Data made by programs: its lines are nobody's writing.
    private static let dataFolders = [
        "Models/emoji/tokenizer/", "Tests/Golden/", "Tests/TokenizersTests/Golden/",
    ]

    /// All text files.
    static let files: [SourceFile] = {
        var paths = rootFiles
        for folder in folders {
            let entries = FileManager.default.enumerator(atPath: Repository.path(folder))
            while let entry = entries?.nextObject() as? String {
                paths.append("\(folder)/\(entry)")
            }
        }
        return paths.sorted().compactMap(read)
    }()

    private static func read(_ path: String) -> SourceFile? {
        let url = URL(fileURLWithPath: Repository.path(path))
        let isLeftover = path.contains("/.") || path.contains("__pycache__")
        let isData = dataFolders.contains { path.hasPrefix($0) } && url.pathExtension != "py"
        guard !isLeftover, !isData, textSuffixes.contains(url.pathExtension),
            let data = try? Data(contentsOf: url), let text = String(data: data, encoding: .utf8)
        else { return nil }
        return SourceFile(path: path, text: text)
    }

    /// Files of one of the languages.
    static func files(_ suffixes: String...) -> [SourceFile] {
        files.filter { suffixes.contains($0.suffix) }
    }

    static func file(_ path: String) -> SourceFile? {
        files.first { $0.path == path }
    }
}
