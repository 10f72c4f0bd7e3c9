// The checked-in compilation of Proto/ is what Proto/generate.sh makes of it. Runs where protoc-c
// is installed.

import Foundation
import Testing

@Suite struct ProtoDriftTests {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let hasCompiler = ["/usr/bin/protoc-c", "/usr/local/bin/protoc-c"]
        .contains { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: hasCompiler)) func `generated files are up to date`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "turbine-proto-\(UUID().uuidString)")
        defer { _ = try? FileManager.default.removeItem(at: folder) }
        let script = Process()
        script.executableURL = Self.root.appending(path: "Proto/generate.sh")
        script.arguments = [folder.path]
        try script.run()
        script.waitUntilExit()
        #expect(script.terminationStatus == 0)
        let fresh = try files(in: folder)
        #expect(fresh.count == 7)
        for path in fresh {
            let checkedIn = try Data(contentsOf: Self.root.appending(path: path))
            let same = try Data(contentsOf: folder.appending(path: path)) == checkedIn
            #expect(same, "\(path) differs: run Proto/generate.sh")
        }
        let kept = try files(in: Self.root.appending(path: "Sources/CTurbineProto"))
            .filter { $0.contains(".pb-c.") }
        #expect(kept.count == 6)
    }

    /// Paths of all files, relative to the folder.
    private func files(in folder: URL) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: folder.appending(path: $0).path, isDirectory: &isFolder)
            return !isFolder.boolValue
        }.sorted()
    }
}
