// What the encoder writes comes back; what it cannot write is refused.

import ImagePipeline
import Testing

@Suite struct PNGEncoderTests {
    /// Noise: no wrong stride can hide, and nothing compresses.
    static func pixels(_ width: Int, _ height: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<width * height * 3).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }

    @Test(arguments: [(1, 1), (3, 5), (128, 128), (1, 300), (300, 1)], [0, 1, 6, 9])
    func pixelsComeBack(size: (Int, Int), compression: Int) throws {
        let pixels = Self.pixels(size.0, size.1)
        let file = try PNGEncoder.encode(
            pixels: pixels, width: size.0, height: size.1, compression: compression)
        let image = try PNGDecoder().decode(file)
        #expect(image.width == size.0)
        #expect(image.height == size.1)
        #expect(image.channels == 3)
        #expect(image.pixels == pixels)
        #expect(image.text.isEmpty)
    }

    @Test func rowsMayComeInAnyPortions() throws {
        let pixels = Self.pixels(16, 10)
        let whole = try PNGEncoder.encode(pixels: pixels, width: 16, height: 10)
        let sink = MemorySink()
        let encoder = try PNGEncoder(width: 16, height: 10, to: sink)
        for portion in [0..<1, 1..<4, 4..<4, 4..<10] {
            try encoder.write(
                rows: Array(pixels[portion.lowerBound * 48..<portion.upperBound * 48]))
        }
        #expect(encoder.rowsWritten == 10)
        try encoder.finish()
        #expect(sink.bytes == whole)
    }

    @Test func bytesAreEmittedBeforeTheLastRow() throws {
        let sink = MemorySink()
        let encoder = try PNGEncoder(width: 256, height: 512, compression: 1, to: sink)
        let half = Self.pixels(256, 256)
        try encoder.write(rows: half)
        let written = sink.bytes.count
        #expect(written > half.count / 4)
        try encoder.write(rows: half)
        try encoder.finish()
        #expect(sink.bytes.count > written)
    }

    @Test func theSameInputGivesTheSameBytes() throws {
        let text = [PNGText(key: "parameters", value: "a\nb"), PNGText(key: "c", value: "猫")]
        let files = try (0..<2).map { _ in
            try PNGEncoder.encode(pixels: Self.pixels(40, 40), width: 40, height: 40, text: text)
        }
        #expect(files[0] == files[1])
    }

    @Test func textComesBackInOrder() throws {
        let text = [
            PNGText(key: "parameters", value: "a cat, sitting\nNegative prompt: dog\nSteps: 8"),
            PNGText(key: "Latin", value: "crème brûlée ÿ"),
            PNGText(key: "Chinese", value: "一只猫 🐈 \u{1}"),
            PNGText(key: "empty", value: ""),
            PNGText(key: "long", value: String(repeating: "wörd ", count: 20_000)),
        ]
        let file = try PNGEncoder.encode(
            pixels: Self.pixels(2, 2), width: 2, height: 2, text: text)
        #expect(try PNGDecoder().decode(file).text == text)
    }

    @Test func latinTextStaysReadableByOldReaders() throws {
        func types(_ value: String) throws -> [String] {
            let file = try PNGEncoder.encode(
                pixels: [0, 0, 0], width: 1, height: 1, text: [PNGText(key: "k", value: value)])
            let text = String(decoding: file, as: Unicode.ASCII.self)
            return ["tEXt", "iTXt", "zTXt"].filter { text.contains($0) }
        }
        #expect(try types("plain\ttext\n") == ["tEXt"])
        #expect(try types("é") == ["tEXt"])
        #expect(try types("猫") == ["iTXt"])
        #expect(try types("\u{85}") == ["iTXt"])
    }

    @Test(arguments: ["", " a", "a ", "a  b", "猫", "a\nb", String(repeating: "k", count: 80)])
    func unfitKeysAreRefused(key: String) {
        let error = #expect(throws: GenerationError.self) {
            try PNGEncoder.encode(
                pixels: [0, 0, 0], width: 1, height: 1, text: [PNGText(key: key, value: "v")])
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func unfitTextIsRefused() {
        let values = [
            ("a\0b", GenerationError.Code.invalidArgument),
            (String(repeating: "x", count: PNGText.byteLimit + 1), .resourceLimit),
        ]
        for (value, code) in values {
            let error = #expect(throws: GenerationError.self) {
                try PNGEncoder.encode(
                    pixels: [0, 0, 0], width: 1, height: 1, text: [PNGText(key: "k", value: value)])
            }
            #expect(error?.code == code)
        }
    }

    @Test(arguments: [(0, 1), (1, 0), (-1, 1), (16_385, 1), (1, Int.max)])
    func unfitSizesAreRefused(size: (Int, Int)) {
        let error = #expect(throws: GenerationError.self) {
            try PNGEncoder(width: size.0, height: size.1, to: MemorySink())
        }
        #expect(error?.code == .invalidArgument)
        #expect(["width", "height"].contains(error?.field))
    }

    @Test func wrongAmountsOfPixelsAreRefused() throws {
        let encoder = try PNGEncoder(width: 2, height: 2, to: MemorySink())
        #expect(throws: GenerationError.self) { try encoder.write(rows: [1, 2, 3]) }
        #expect(throws: GenerationError.self) {
            try encoder.write(rows: [UInt8](repeating: 0, count: 18))
        }
        #expect(throws: GenerationError.self) { try encoder.finish() }
        try encoder.write(rows: [UInt8](repeating: 0, count: 12))
        try encoder.finish()
        #expect(throws: GenerationError.self) { try encoder.finish() }
    }

    /// Fails once it has taken a number of bytes.
    private final class FailingSink: ByteSink {
        struct Full: Error {}
        var capacity: Int

        init(capacity: Int) { self.capacity = capacity }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            capacity -= bytes.count
            if capacity < 0 { throw Full() }
        }
    }

    @Test func theSinksErrorComesThrough() throws {
        let pixels = Self.pixels(32, 32)
        let text = [PNGText(key: "k", value: "v")]
        let size = try PNGEncoder.encode(pixels: pixels, width: 32, height: 32, text: text).count
        for capacity in stride(from: 0, to: size, by: 5) {
            #expect(throws: FailingSink.Full.self) {
                let encoder = try PNGEncoder(
                    width: 32, height: 32, text: text, to: FailingSink(capacity: capacity))
                try encoder.write(rows: pixels)
                try encoder.finish()
            }
        }
    }
}
