// Every colour type, depth and layout, against values computed from the specification.

import ImagePipeline
import Testing

@Suite struct PNGDecoderTests {
    /// What such a file must decode to: RGBA, 8 bits, computed from the specification.
    private static func expected(_ fixture: PNGFixture) -> [UInt8] {
        let largest = (1 << fixture.depth) - 1
        func scaled(_ value: Int) -> UInt8 { UInt8((value * 255 * 2 + largest) / (largest * 2)) }
        var pixels: [UInt8] = []
        for y in 0..<fixture.height {
            for x in 0..<fixture.width {
                let stored = (0..<fixture.color.channels).map { fixture.sample(x, y, $0) }
                switch fixture.color {
                case .gray:
                    let key = fixture.transparency.isEmpty ? -1 : Int(fixture.transparency[1])
                    pixels += [UInt8](repeating: scaled(stored[0]), count: 3)
                    pixels.append(stored[0] == key ? 0 : 255)
                case .grayAlpha:
                    pixels += [UInt8](repeating: scaled(stored[0]), count: 3) + [scaled(stored[1])]
                case .rgb: pixels += stored.map(scaled) + [255]
                case .rgba: pixels += stored.map(scaled)
                case .palette:
                    let index = stored[0]
                    let alpha = fixture.transparency
                    pixels += fixture.palette[index * 3..<index * 3 + 3]
                    pixels.append(index < alpha.count ? alpha[index] : 255)
                }
            }
        }
        return pixels
    }

    private static func fixture(
        _ color: PNGFixture.Color, _ depth: Int, interlaced: Bool, transparency: [UInt8] = []
    ) -> PNGFixture {
        let largest = (1 << depth) - 1
        let palette = (0..<3 * (largest + 1)).map { UInt8(truncatingIfNeeded: $0 * 37) }
        return PNGFixture(
            color: color, depth: depth, width: 13, height: 11, isInterlaced: interlaced,
            palette: color == .palette ? palette : [], transparency: transparency
        ) { x, y, channel in
            (x * 2_179 + y * 7_919 + channel * 104_729) & largest
        }
    }

    static let layouts: [(PNGFixture.Color, Int)] = [
        (.gray, 1), (.gray, 2), (.gray, 4), (.gray, 8), (.gray, 16), (.rgb, 8), (.rgb, 16),
        (.palette, 1), (.palette, 2), (.palette, 4), (.palette, 8), (.grayAlpha, 8),
        (.grayAlpha, 16), (.rgba, 8), (.rgba, 16),
    ]

    @Test(arguments: layouts, [false, true])
    func everyColourTypeAndDepth(layout: (PNGFixture.Color, Int), interlaced: Bool) throws {
        let fixture = Self.fixture(layout.0, layout.1, interlaced: interlaced)
        let image = try PNGDecoder(alpha: .keep).decode(fixture.bytes)
        #expect(image.width == 13)
        #expect(image.height == 11)
        #expect(image.channels == 4)
        #expect(image.pixels == Self.expected(fixture))
    }

    @Test(arguments: [false, true])
    func transparentColoursAndPaletteEntries(interlaced: Bool) throws {
        let files = [
            Self.fixture(.palette, 4, interlaced: interlaced, transparency: [0, 128, 7]),
            Self.fixture(.gray, 4, interlaced: interlaced, transparency: [0, 5]),
        ]
        for fixture in files {
            let expected = Self.expected(fixture)
            #expect(expected.contains(0))
            let image = try PNGDecoder(alpha: .keep).decode(fixture.bytes)
            #expect(image.pixels == expected)
        }
    }

    @Test func alphaIsLaidOverWhite() throws {
        let fixture = PNGFixture(color: .rgba, depth: 8, width: 4, height: 1) { x, _, channel in
            channel == 3 ? [0, 255, 128, 1][x] : [10, 20, 0, 255][x]
        }
        let image = try PNGDecoder().decode(fixture.bytes)
        #expect(image.channels == 3)
        #expect(image.pixels == [255, 255, 255, 20, 20, 20, 127, 127, 127, 255, 255, 255])
    }

    @Test func textBeforeAndAfterThePixels() throws {
        var fixture = Self.fixture(.rgb, 8, interlaced: false)
        fixture.extra = [
            ("tEXt", Array("Title".utf8) + [0, 0x63, 0xE9]),
            (
                "iTXt",
                Array("parameters".utf8) + [0, 0, 0] + Array("en".utf8) + [0, 0] + Array("猫".utf8)
            ),
            ("zTXt", Array("Packed".utf8) + [0, 0] + PNGFixture.zlibStored(Array("zip".utf8))),
            ("iTXt", Array("broken".utf8) + [0, 0, 0, 0, 0, 0xFF, 0x41]),
        ]
        let late = PNGFixture.chunk("tEXt", Array("Late".utf8) + [0] + Array("x".utf8))
        var bytes = fixture.bytes
        bytes.insert(contentsOf: late, at: bytes.count - 12)
        let text = try PNGDecoder().decode(bytes).text
        #expect(
            text == [
                PNGText(key: "Title", value: "cé"), PNGText(key: "parameters", value: "猫"),
                PNGText(key: "Packed", value: "zip"), PNGText(key: "broken", value: "\u{FFFD}A"),
                PNGText(key: "Late", value: "x"),
            ])
    }

    @Test func filesAreReadAndHeadersAlone() throws {
        let folder = try TemporaryFolder()
        let pixels = PNGEncoderTests.pixels(30, 20)
        let text = [PNGText(key: "k", value: "v")]
        let path = folder.file("image.png")
        try AtomicFile.write(
            PNGEncoder.encode(pixels: pixels, width: 30, height: 20, text: text), to: path)
        #expect(try PNGDecoder().decode(file: path).pixels == pixels)
        let header = try PNGDecoder().header(file: path)
        #expect(header.width == 30)
        #expect(header.height == 20)
        #expect(header.text == text)
    }

    @Test(arguments: ["", "missing.png", ".", "a\0b"])
    func filesThatCannotBeRead(name: String) throws {
        let folder = try TemporaryFolder()
        let path = name.isEmpty ? "" : folder.file(name)
        let error = #expect(throws: GenerationError.self) { try PNGDecoder().decode(file: path) }
        #expect(error?.code == .unreadableFile)
        #expect(error?.field.isEmpty == false)
    }
}
