// Safetensors files, sound and broken.
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
    /// Writes header and data as a file and opens it.
    private func open(
        _ header: String, data: Int = 0, headerLength: UInt64? = nil
    ) throws -> SafetensorsFile {
        var contents = Data()
        let bytes = Data(header.utf8)
        withUnsafeBytes(of: (headerLength ?? UInt64(bytes.count)).littleEndian) {
            contents.append(contentsOf: $0)
        }
        contents.append(bytes)
        contents.append(Data((0..<data).map { UInt8(truncatingIfNeeded: $0) }))
        return try open(contents)
    }

    private func open(_ contents: Data) throws -> SafetensorsFile {
        let path = TemporaryFiles.path("file.safetensors")
        try contents.write(to: URL(fileURLWithPath: path))
        return try SafetensorsFile(path: path)
    }

    private func entry(_ name: String, _ type: String, _ shape: String, _ range: String) -> String {
        #""\#(name)":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(range)]}"#
    }

    @Test func whatIsWrittenIsRead() throws {
        let path = TemporaryFiles.path("round.safetensors")
        let a = Tensor([1, -2, 0.5, 4, 5, 6], shape: [2, 3])
        let b = Tensor([1.5], shape: [1]).converted(to: .bfloat16)
        let c = Tensor([Float](repeating: 2, count: 5), shape: [5]).converted(to: .float16)
        try SafetensorsWriter.write(
            ["a": a, "b": b, "c": c], metadata: ["key": "value \"quoted\""], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["key": "value \"quoted\""])
        #expect(Set(file.entries.keys) == ["a", "b", "c"])
        let read = try #require(try file.tensor("a"))
        #expect(read.shape == [2, 3] && read.elements == a.elements)
        #expect(try file.tensor("b")?.elementType == .bfloat16)
        #expect(try file.tensor("b")?.asFloat32().elements == [1.5])
        #expect(try file.tensor("c")?.asFloat32().elements == [2, 2, 2, 2, 2])
        #expect(try file.tensor("d") == nil)
    }

    @Test func unalignedTensorsAreReadable() throws {
        // A header of odd length puts the data at an odd address.
        let header = "{" + entry("x", "F32", "2", "0,8") + "}"
        let odd = header.utf8.count % 2 == 1 ? header : header + " "
        let file = try open(odd, data: 8)
        let expected = [Float(bitPattern: 0x0302_0100), Float(bitPattern: 0x0706_0504)]
        #expect(try file.tensor("x")?.elements == expected)
    }

    @Test func otherTypesAreThereButNoTensors() throws {
        let file = try open("{" + entry("ids", "I64", "1", "0,8") + "}", data: 8)
        #expect(file.bytes("ids")?.count == 8)
        let error = #expect(throws: CheckpointError.self) { try file.tensor("ids") }
        #expect(error?.code == .wrongElementType && error?.element == "tensor \"ids\"")
    }

    @Test func brokenHeadersAreNamed() throws {
        let good = entry("x", "F32", "2", "0,8")
        let cases: [(String, Int, UInt64?, String?)] = [
            ("{}", 0, 100, nil),  // longer than the file
            ("{}", 0, UInt64.max, nil),
            ("{}", 0, 1, nil),
            ("not json", 0, nil, nil),
            ("[]", 0, nil, nil),
            ("{" + good + "}", 4, nil, "x"),  // truncated
            ("{" + good + "}", 12, nil, nil),  // trailing bytes
            ("{" + entry("x", "F32", "3", "0,8") + "}", 8, nil, "x"),
            ("{" + entry("x", "F32", "2", "8,0") + "}", 8, nil, "x"),
            ("{" + entry("x", "F32", "-2", "0,8") + "}", 8, nil, "x"),
            ("{" + entry("x", "F32", "1.5", "0,8") + "}", 8, nil, "x"),
            ("{" + entry("x", "Q9", "2", "0,8") + "}", 8, nil, "x"),
            ("{" + entry("x", "F32", "4611686018427387904,4", "0,8") + "}", 8, nil, "x"),
            (#"{"x":{"dtype":"F32","shape":[2]}}"#, 8, nil, "x"),
            (#"{"x":5}"#, 8, nil, "x"),
            ("{" + good + "," + entry("y", "F32", "2", "4,12") + "}", 12, nil, "y"),  // overlap
            ("{" + good + "," + entry("y", "F32", "1", "12,16") + "}", 16, nil, "y"),  // gap
        ]
        for (header, data, length, tensor) in cases {
            let error = #expect(throws: CheckpointError.self, "\(header)") {
                try open(header, data: data, headerLength: length)
            }
            #expect(error?.code == .malformedFile, "\(header): \(error?.description ?? "")")
            #expect(error?.element == tensor.map { "tensor \"\($0)\"" }, "\(header)")
        }
        #expect(throws: CheckpointError.self) { try open(Data()) }
        #expect(throws: CheckpointError.self) { try open(Data([1, 2, 3])) }
    }

    /// Random damage gives an error or a sound file, never a trap.
    @Test func randomDamageNeverTraps() throws {
        let path = TemporaryFiles.path("sound.safetensors")
        try SafetensorsWriter.write(
            ["a": Tensor([1, 2], shape: [2]), "b": Tensor([3], shape: [1])], to: path)
        let sound = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = TorchGenerator(seed: 99)
        var refused = 0
        for _ in 0..<2000 {
            var damaged = sound
            for _ in 0...Int(random.next() % 3) {
                damaged[Int(random.next()) % damaged.count] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 4 == 0 { damaged.removeLast(Int(random.next()) % damaged.count) }
            do {
                let file = try open(damaged)
                for name in file.entries.keys { _ = try? file.tensor(name)?.asFloat32() }
            } catch is CheckpointError {
                refused += 1
            }
        }
        #expect(refused > 500)
    }
}
