// Files exchanged with Pillow, the reader behind most Python tools.

import Foundation
import ImagePipeline
import Testing

/// What Python's Pillow reads from our files. Needs TURBINE_TEST_PYTHON: a Python with Pillow.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"] != nil))
struct PillowTests {
    private static func python(_ script: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let path = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"] ?? ""
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", script] + arguments
        process.environment = ["PYTHONIOENCODING": "utf-8"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    @Test(arguments: [ImageMetadataTests.plain, ImageMetadataTests.full])
    func pillowReadsPixelsAndText(metadata: ImageMetadata) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("image.png")
        let pixels = PNGEncoderTests.pixels(37, 21)
        try AtomicFile.write(
            PNGEncoder.encode(
                pixels: pixels, width: 37, height: 21, text: metadata.textEntries()), to: path)
        let script = """
            import sys, json
            from PIL import Image
            image = Image.open(sys.argv[1])
            image.load()
            print(json.dumps([image.mode, image.size, image.text, list(image.tobytes())]))
            """
        let answer = try Self.python(script, [path])
        let parts = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [Any])
        #expect(parts[0] as? String == "RGB")
        #expect(parts[1] as? [Int] == [37, 21])
        let text = try #require(parts[2] as? [String: String])
        for entry in try metadata.textEntries() { #expect(text[entry.key] == entry.value) }
        #expect(parts[3] as? [Int] == pixels.map(Int.init))
    }

    @Test func filesOfPillowAreRead() throws {
        let folder = try TemporaryFolder()
        let script = """
            import sys
            from PIL import Image, PngImagePlugin
            info = PngImagePlugin.PngInfo()
            info.add_text("parameters", "caf\\u00e9")
            info.add_text("zipped", "x" * 1000, zip=True)
            info.add_itxt("wide", "\\u732b", zip=True)
            base = Image.new("RGBA", (20, 10))
            base.putdata([(i, 255 - i, i // 2, i) for i in range(200)])
            for mode in sys.argv[2:]:
                base.convert(mode).save(f"{sys.argv[1]}/{mode}.png", pnginfo=info)
                image = Image.open(f"{sys.argv[1]}/{mode}.png").convert("RGBA")
                print(" ".join(map(str, image.tobytes())))
            """
        let modes = ["1", "L", "LA", "P", "RGB", "RGBA"]
        let lines = try Self.python(script, [folder.path] + modes).split(separator: "\n")
        #expect(lines.count == modes.count)
        for (mode, line) in zip(modes, lines) {
            let image = try PNGDecoder(alpha: .keep).decode(file: folder.file("\(mode).png"))
            #expect(image.pixels == line.split(separator: " ").compactMap { UInt8($0) }, "\(mode)")
            #expect(
                image.text == [
                    PNGText(key: "parameters", value: "café"),
                    PNGText(key: "zipped", value: String(repeating: "x", count: 1_000)),
                    PNGText(key: "wide", value: "猫"),
                ])
        }
    }
}
