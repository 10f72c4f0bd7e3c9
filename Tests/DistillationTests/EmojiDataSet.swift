// The box model's data set, built once for the tests that want real images and captions.
import Foundation
import TestSupport
import Testing

@testable import Distillation

enum EmojiDataSet {
    static let python = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"]
    private static let packages = [
        "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "/usr/share/unicode/cldr/common",
        "/usr/share/unicode/emoji/emoji-test.txt",
    ]
    static let condition: Comment = "needs TURBINE_TEST_PYTHON and the packages of make dataset"
    static var isReady: Bool {
        python?.isEmpty == false
            && packages.allSatisfy { FileManager.default.fileExists(atPath: $0) }
    }

    /// Runs a Python script and returns its standard output.
    static func run(_ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(python))
        process.arguments = ["-B"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(arguments[0]) failed")
        return data
    }

    /// Builds the set without skin tones and flags; returns what the script printed.
    static func build(_ folder: String) throws -> String {
        let script = Repository.path("Models/emoji/dataset/build.py")
        return String(
            decoding: try run([script, folder, "--without", "skin-tones,flags"]), as: UTF8.self)
    }

    /// The set in memory. Its folder is removed once it is read.
    static let shared = Result {
        let folder = TemporaryFiles.path("emoji")
        defer {
            try? FileManager.default.removeItem(
                atPath: (folder as NSString).deletingLastPathComponent)
        }
        _ = try build(folder)
        return try ImageFolder(path: folder, size: .init(width: 128, height: 128))
    }
}
