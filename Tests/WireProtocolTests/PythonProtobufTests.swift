// Google's Python protobuf reads every frame of ours, and we read every frame of its. Runs when
// TURBINE_TEST_PYTHON names a Python that has the protobuf package.

import Foundation
import Testing

@testable import WireProtocol

@Suite struct PythonProtobufTests {
    static let python = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"]

    /// Reads lines "ENVELOPE HEX"; writes what protobuf makes of each, as hex. Refuses frames with
    /// fields that the schema does not have.
    private static let script = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import importlib.util
        spec = importlib.util.spec_from_file_location(
            "turbine_client.messages", sys.argv[1] + "/turbine_client/messages.py")
        messages = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(messages)
        for line in sys.stdin:
            name, data = line.split()
            message = messages.MESSAGES[name].FromString(bytes.fromhex(data))
            size = message.ByteSize()
            message.DiscardUnknownFields()
            assert message.ByteSize() == size, "unknown fields in " + name
            print(message.SerializeToString(deterministic=True).hex())
        """

    @Test(.enabled(if: python != nil)) func `protobuf agrees on every message`() throws {
        var random = RandomSource(seed: 21)
        var lines: [String] = []
        var checks: [([UInt8]) throws -> Bool] = []
        func add<Message: WireEnvelope>(_ messages: [Message]) throws {
            for message in messages {
                let hex = try message.encoded().map { String(format: "%02x", $0) }.joined()
                lines.append("\(Message.self) \(hex)")
                checks.append { try Message(frame: $0) == message }
            }
        }
        for _ in 0..<20 {
            try add(ClientMessage.eachKind(&random))
            try add(ServerMessage.eachKind(&random))
            try add(WorkerMessage.eachKind(&random))
            try add(BrokerMessage.eachKind(&random))
        }
        let replies = try run(lines.joined(separator: "\n"))
        try #require(replies.count == checks.count)
        for (index, reply) in replies.enumerated() {
            #expect(try checks[index](reply), "\(lines[index])")
        }
    }

    private func run(_ input: String) throws -> [[UInt8]] {
        let folder = FileManager.default.temporaryDirectory
        let inputFile = folder.appending(path: "turbine-frames-\(UUID().uuidString)")
        try input.write(to: inputFile, atomically: true, encoding: .utf8)
        defer { _ = try? FileManager.default.removeItem(at: inputFile) }
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.python))
        process.arguments = [
            "-c", Self.script, ProtoDriftTests.root.appending(path: "Clients/python/src").path,
        ]
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map { line in
            let digits = Array(line.utf8)
            return stride(from: 0, to: digits.count - 1, by: 2).map {
                UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16) ?? 0
            }
        }
    }
}
