// A file appears whole or not at all, and paths that cannot be written are told beforehand.

import Foundation
import Testing

@testable import ImagePipeline

@Suite struct AtomicFileTests {
    private static func write(_ text: String, to file: AtomicFile) throws {
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }

    @Test(arguments: [true, false])
    func theFileAppearsOnCommitOnly(nameless: Bool) throws {
        let folder = try TemporaryFolder()
        let file = try AtomicFile(path: folder.file("a.png"), prefersNameless: nameless)
        try Self.write(String(repeating: "x", count: 200_000), to: file)
        #expect(try !folder.entries.contains("a.png"))
        try file.commit()
        #expect(try folder.entries == ["a.png"])
        #expect(try folder.bytes(of: "a.png").count == 200_000)
    }

    @Test(arguments: [true, false])
    func anUnfinishedFileLeavesNothing(nameless: Bool) throws {
        let folder = try TemporaryFolder()
        do {
            let file = try AtomicFile(path: folder.file("a.png"), prefersNameless: nameless)
            try Self.write(String(repeating: "x", count: 100_000), to: file)
        }
        #expect(try folder.entries.isEmpty)
        let file = try AtomicFile(path: folder.file("b.png"), prefersNameless: nameless)
        try Self.write("x", to: file)
        file.discard()
        file.discard()
        #expect(try folder.entries.isEmpty)
        #expect(throws: GenerationError.self) { try file.commit() }
        #expect(try folder.entries.isEmpty)
    }

    @Test func aFailingEncoderLeavesNothing() throws {
        let folder = try TemporaryFolder()
        func encode() throws {
            let file = try AtomicFile(path: folder.file("a.png"))
            let encoder = try PNGEncoder(width: 8, height: 8, to: file)
            try encoder.write(rows: [UInt8](repeating: 1, count: 24 * 3))
            try encoder.finish()
            try file.commit()
        }
        #expect(throws: GenerationError.self) { try encode() }
        #expect(try folder.entries.isEmpty)
    }

    @Test func anExistingFileIsReplacedInOneStep() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("old", to: "a.txt")
        let file = try AtomicFile(path: path)
        try Self.write("new", to: file)
        #expect(try folder.bytes(of: "a.txt") == Array("old".utf8))
        try file.commit()
        #expect(try folder.bytes(of: "a.txt") == Array("new".utf8))
        #expect(try folder.entries == ["a.txt"])
    }

    @Test func aLinkKeepsPointingToItsFile() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("old", to: "real.txt")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.txt"), withDestinationPath: path)
        try AtomicFile.write(Array("new".utf8), to: folder.file("link.txt"))
        #expect(try folder.bytes(of: "real.txt") == Array("new".utf8))
        let target = try FileManager.default.destinationOfSymbolicLink(
            atPath: folder.file("link.txt"))
        #expect(target == path)
    }

    @Test func theCheckLeavesNothingAndHarmsNothing() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.checkWritable(folder.file("new.png"))
        #expect(try folder.entries.isEmpty)
        let path = try folder.write("old", to: "old.png")
        try AtomicFile.checkWritable(path)
        #expect(try folder.bytes(of: "old.png") == Array("old".utf8))
        #expect(try folder.entries == ["old.png"])
    }

    @Test func pathsThatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("x", to: "file")
        let paths = [
            "", "a\0b", folder.path, folder.path + "/", folder.file("no/such/folder/a.png"),
            file + "/a.png", "/dev/null", "/proc/a.png",
            folder.file(String(repeating: "n", count: 300)),
        ]
        for path in paths {
            let error = #expect(throws: GenerationError.self) {
                try AtomicFile.checkWritable(path)
            }
            #expect(error?.code == .unwritableOutput, "\(path)")
            #expect(error?.field == (path.isEmpty ? "output file" : path))
            #expect(error?.remedy.isEmpty == false)
        }
        #expect(try folder.entries == ["file"])
    }
}
