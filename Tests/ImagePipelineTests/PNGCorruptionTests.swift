// Damaged, cut-off and hostile files are errors, never crashes or partial images.

import ImagePipeline
import Testing

@Suite struct PNGCorruptionTests {
    private static func sound(interlaced: Bool) throws -> [UInt8] {
        if interlaced {
            return PNGFixture(color: .rgba, depth: 16, width: 9, height: 9, isInterlaced: true) {
                ($0 * 7_001 + $1 * 13 + $2) & 0xFFFF
            }.bytes
        }
        return try PNGEncoder.encode(
            pixels: PNGEncoderTests.pixels(24, 24), width: 24, height: 24,
            text: [PNGText(key: "parameters", value: "猫"), PNGText(key: "turbine", value: "{}")])
    }

    private static func code(_ bytes: [UInt8]) -> GenerationError.Code? {
        do {
            _ = try PNGDecoder().decode(bytes)
            return nil
        } catch {
            return (error as? GenerationError)?.code ?? .internalError
        }
    }

    @Test(arguments: [false, true])
    func everyTruncationIsAnError(interlaced: Bool) throws {
        let file = try Self.sound(interlaced: interlaced)
        for count in 0..<file.count {
            #expect(Self.code(Array(file[..<count])) == .unreadableImage, "cut to \(count) bytes")
        }
        let error = #expect(throws: GenerationError.self) {
            try PNGDecoder().decode(Array(file[..<(file.count / 2)]), name: "half.png")
        }
        #expect(error?.field == "half.png")
        #expect(error?.what.contains("ends too early") == true)
    }

    @Test(arguments: [false, true], [0x01, 0x20, 0x80, 0xFF] as [UInt8])
    func everyFlippedByteIsAnError(interlaced: Bool, mask: UInt8) throws {
        let file = try Self.sound(interlaced: interlaced)
        for index in file.indices {
            var damaged = file
            damaged[index] ^= mask
            let code = Self.code(damaged)
            #expect(code == .unreadableImage || code == .resourceLimit, "byte \(index)")
        }
    }

    @Test func manyRandomDamagesNeverCrash() throws {
        let file = try Self.sound(interlaced: true)
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var errors = 0
        for _ in 0..<2_000 {
            var damaged = file
            for _ in 0...next(6) { damaged[next(file.count)] = UInt8(next(256)) }
            if next(4) == 0 { damaged.removeSubrange(next(file.count)...) }
            if next(8) == 0 { damaged.insert(contentsOf: file, at: next(damaged.count + 1)) }
            if Self.code(damaged) != nil { errors += 1 }
        }
        #expect(errors > 1_900)
    }

    @Test(arguments: ["", "GIF89a", "\u{89}PNG", "hello, this is a text file"])
    func otherFilesAreNoPNG(content: String) {
        #expect(Self.code(Array(content.utf8)) == .unreadableImage)
    }

    @Test func wrongPixelDataWithRightChecksums() {
        func file(_ idat: [UInt8], width: Int = 2, height: Int = 2, depth: Int = 8) -> [UInt8] {
            let whole = PNGFixture(
                color: .rgb, depth: depth, width: width, height: height, sample: { _, _, _ in 0 })
            let start = [UInt8](whole.bytes[..<33])
            return start + PNGFixture.chunk("IDAT", idat) + PNGFixture.chunk("IEND", [])
        }
        #expect(Self.code(file(PNGFixture.zlibStored([UInt8](repeating: 0, count: 14)))) == nil)
        #expect(Self.code(file([])) == .unreadableImage)
        #expect(Self.code(file([1, 2, 3, 4])) == .unreadableImage)
        #expect(Self.code(file(PNGFixture.zlibStored([0, 0, 0]))) == .unreadableImage)
        let wrongFilter = PNGFixture.zlibStored([UInt8](repeating: 9, count: 14))
        #expect(Self.code(file(wrongFilter)) == .unreadableImage)
    }

    @Test func headersOfImpossibleImages() {
        func code(_ width: Int, _ height: Int, _ tail: [UInt8] = [8, 2, 0, 0, 0]) -> Any? {
            let header = PNGFixture.bigEndian(width) + PNGFixture.bigEndian(height) + tail
            return Self.code(
                Array(
                    PNGFixture(color: .rgb, depth: 8, width: 1, height: 1) { _, _, _ in 0 }
                        .bytes[..<8]) + PNGFixture.chunk("IHDR", header))
        }
        let sizes = [(0, 1), (1, 0), (16_385, 1), (1, 16_385), (0x7FFF_FFFF, 0x7FFF_FFFF), (-1, 1)]
        for (width, height) in sizes {
            #expect(code(width, height) as? GenerationError.Code == .unreadableImage)
        }
        let tails: [[UInt8]] = [
            [7, 2, 0, 0, 0], [16, 3, 0, 0, 0], [8, 1, 0, 0, 0], [8, 2, 1, 0, 0], [8, 2, 0, 0, 9],
        ]
        for tail in tails {
            #expect(code(4, 4, tail) as? GenerationError.Code == .unreadableImage)
        }
    }

    @Test func bigImagesAreRefusedBeforeTheyAreRead() {
        let header = PNGFixture.bigEndian(16_384) + PNGFixture.bigEndian(16_384) + [16, 6, 0, 0, 1]
        let file =
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + PNGFixture.chunk("IHDR", header)
            + PNGFixture.chunk("IDAT", [0x78, 0x01])
        #expect(Self.code(file) == .resourceLimit)
        let error = #expect(throws: GenerationError.self) {
            try PNGDecoder(pixelLimit: 575).decode(Self.sound(interlaced: false))
        }
        #expect(error?.code == .resourceLimit)
        #expect(error?.what.contains("24×24") == true)
        #expect(throws: Never.self) {
            try PNGDecoder(pixelLimit: 576).decode(Self.sound(interlaced: false))
        }
    }
}
