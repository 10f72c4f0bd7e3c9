// Sheets of images: where each pixel lands, and the captions beside.
import Foundation
import ImagePipeline
import TensorCore
import TestSupport
import Testing

@testable import Distillation

@Suite struct ContactSheetTests {
    private let size = ImageFolder.Size(width: 3, height: 2)

    private func planes(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> [UInt8] {
        [red, green, blue].flatMap { [UInt8](repeating: $0, count: 6) }
    }

    @Test func cellsFillRows() throws {
        var sheet = ContactSheet(size: size, columns: 2, margin: 1, scale: 2)
        for level in UInt8(1)...3 { sheet.add(bytes: planes(level, 0, 9), caption: "n\(level)") }
        let image = try PNGDecoder().decode(sheet.png())
        // Two columns of 6 pixels, two rows of 4, with margins of 1.
        #expect(image.width == 15 && image.height == 11)
        func pixel(_ x: Int, _ y: Int) -> [UInt8] {
            Array(image.pixels[(y * 15 + x) * 3..<(y * 15 + x) * 3 + 3])
        }
        #expect(pixel(1, 1) == [1, 0, 9] && pixel(6, 4) == [1, 0, 9])
        #expect(pixel(8, 1) == [2, 0, 9] && pixel(1, 6) == [3, 0, 9])
        #expect(pixel(0, 0) == pixel(7, 3) && pixel(8, 6) == pixel(0, 0))
        #expect(sheet.captions == "1\t1\tn1\n1\t2\tn2\n2\t1\tn3\n")
    }

    @Test func floatsAreRoundedAndCut() {
        let image = Tensor([-1, 1, 0, -7, 7, .nan, 0.5, .infinity, -.infinity], shape: [3, 1, 3])
        #expect(ContactSheet.bytes(image) == [0, 255, 128, 0, 255, 0, 191, 255, 0])
    }

    @Test func bytesSurviveTheWayThroughFloats() throws {
        let draft = try DataSetDraft()
        try draft.addImage("a.png", width: 200, height: 1)
        draft.lines = [#"{"file_name": "a.png", "text": "x"}"#]
        let data = try ImageFolder(path: draft.finish())
        #expect(ContactSheet.bytes(data.image(at: 0)) == data.bytes(at: 0))
    }

    @Test func writesCaptionsBeside() throws {
        let path = TemporaryFiles.path("sheet.png")
        var sheet = ContactSheet(size: size, columns: 9)
        #expect(throws: GenerationError.self) { try sheet.png() }
        sheet.add(bytes: planes(1, 2, 3), caption: "two\nlines 红心")
        try sheet.write(to: path)
        #expect(try PNGDecoder().decode(file: path).width == 3 + 2 * 6)
        let text = try String(
            contentsOfFile: path.replacingOccurrences(of: ".png", with: ".txt"), encoding: .utf8)
        #expect(text == "1\t1\ttwo lines 红心\n")
    }
}
