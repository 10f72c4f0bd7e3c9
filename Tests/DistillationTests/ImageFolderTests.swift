// Reading data sets: what comes out of sound ones, and what is said about others.
import Foundation
import ImagePipeline
import TensorCore
import Testing

@testable import Distillation

@Suite struct ImageFolderTests {
    @Test func readsAPlainImagefolder() throws {
        let draft = try DataSetDraft()
        try draft.addImage("images/a.png")
        try draft.addImage("b.png", color: (200, 100, 0))
        draft.lines = [
            #"{"file_name": "images/a.png", "text": "a dark picture"}"#, "",
            #"{"file_name": "b.png", "text": "ein Bild", "unrelated": [1, {"x": null}]}"#,
        ]
        let set = try ImageFolder(path: draft.finish())
        #expect(set.count == 2)
        #expect(set.size == .init(width: 8, height: 6))
        let entry = set.entries[1]
        #expect(entry.fileName == "b.png" && entry.text == "ein Bild" && entry.line == 3)
        #expect(entry.captions == [ImageCaption(text: "ein Bild", language: nil, weight: 1)])
        #expect(entry.split == .train && entry.concept == "b.png" && entry.maskFileName == nil)
        #expect(set.maskBytes(at: 1) == nil)
        // Planes: red, then green, then blue.
        let bytes = set.bytes(at: 1)
        #expect(bytes.count == 3 * 8 * 6)
        #expect(bytes[0] == 200 && bytes[7] == 207 && bytes[48] == 100 && bytes[96 + 9] == 1)
    }

    @Test func imagesAreFloatsFromMinusOneToOne() throws {
        let draft = try DataSetDraft()
        try draft.addImage("a.png", color: (0, 127, 248))
        try draft.addImage("b.png", color: (1, 2, 3))
        draft.lines = ["a", "b"].map { #"{"file_name": "\#($0).png", "text": "\#($0)"}"# }
        let set = try ImageFolder(path: draft.finish())
        let image = set.image(at: 0)
        #expect(image.shape == [3, 6, 8])
        #expect(image.elements.first == -1)
        #expect(image.elements.last == 1)
        #expect(abs(image.elements[48] + 1 / 255) < 1e-6)
        let batch = set.images(at: [1, 0, 1])
        #expect(batch.shape == [3, 3, 6, 8])
        #expect(Array(batch.elements[144..<288]) == image.elements)
        #expect(Array(batch.elements[..<144]) == Array(batch.elements[288...]))
        #expect(set.images(at: []).count == 0)
    }

    @Test func readsOurFields() throws {
        let draft = try DataSetDraft()
        try draft.addImage("images/a.png")
        try draft.addImage("masks/a.png", color: (50, 50, 50))
        draft.lines = [
            """
            {"file_name": "images/a.png", "text": "heart", "mask": "masks/a.png", \
            "concept": "2764", "split": "heldout", "group": "Smileys", "subgroup": "heart", \
            "texts": [{"text": "heart", "language": "en", "weight": 3}, \
            {"text": "红心", "language": "zh", "weight": 1}, \
            {"text": "never", "weight": 0}, "plain"]}
            """
        ]
        let set = try ImageFolder(path: draft.finish())
        let entry = set.entries[0]
        #expect(entry.concept == "2764" && entry.split == .heldOut && entry.group == "Smileys")
        #expect(entry.captions.map(\.weight) == [0.6, 0.2, 0, 0.2])
        #expect(entry.captions.map(\.language) == ["en", "zh", nil, nil])
        #expect(entry.mainCaption(language: "zh") == "红心")
        #expect(entry.mainCaption(language: "de") == nil)
        #expect(set.indices(in: [.train]) == [] && set.indices(in: [.train, .heldOut]) == [0])
        let mask = try #require(set.maskBytes(at: 0))
        #expect(mask.count == 6 * 8 && mask[0] == 50 && mask[9] == 51)
    }

    @Test func captionsAreDrawnByWeight() throws {
        let captions = [("a", 0.5), ("never", 0), ("b", 0.25), ("c", 0.25)].map {
            ImageCaption(text: $0.0, language: nil, weight: $0.1)
        }
        let entry = ImageFolderEntry(
            fileName: "x", maskFileName: nil, text: "a", captions: captions, concept: "x",
            split: .train, group: nil, subgroup: nil, line: 1)
        let drawn = (0..<1000).map { entry.caption(at: Double($0) / 1000).text }
        let counts = Dictionary(grouping: drawn) { $0 }.mapValues(\.count)
        #expect(counts == ["a": 500, "b": 250, "c": 250])
        #expect(entry.caption(at: 1).text == "c")
    }

    @Test func alphaIsTheMaskWhereNoneIsNamed() throws {
        // One pixel each: half-transparent black, opaque red (RGBA, made with Pillow).
        let png: [UInt8] = [
            0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A,
        ]
        let draft = try DataSetDraft()
        try draft.add(png + Self.rgbaTail, as: "a.png")
        draft.lines = [#"{"file_name": "a.png", "text": "two pixels"}"#]
        let set = try ImageFolder(path: draft.finish())
        #expect(set.size == .init(width: 2, height: 1))
        #expect(set.bytes(at: 0) == [127, 255, 127, 0, 127, 0])
        #expect(set.maskBytes(at: 0) == [128, 255])
    }

    /// What follows the signature of a 2×1 RGBA image of (0, 0, 0, 128) and (255, 0, 0, 255).
    private static let rgbaTail: [UInt8] = [
        0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00,
        0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0xF4, 0x22, 0x7F, 0x8A, 0x00,
        0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x60, 0x60, 0x60,
        0x68, 0xF8, 0xCF, 0xC0, 0xF0, 0x1F, 0x00, 0x07, 0x84, 0x02, 0x7F, 0xFC, 0x1A,
        0x76, 0x9A, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60,
        0x82,
    ]

    // MARK: Problems

    /// The problems of a data set with the given lines.
    private func problems(
        _ lines: [String], size: ImageFolder.Size? = nil, limits: ImageFolder.Limits = .init(),
        prepare: (DataSetDraft) throws -> Void = { _ in }
    ) throws -> [DataSetProblem] {
        let draft = try DataSetDraft()
        try draft.addImage("a.png")
        try draft.addImage("b.png")
        try draft.addImage("large.png", width: 16)
        try prepare(draft)
        draft.lines = lines
        let path = try draft.finish()
        let error = #expect(throws: DataSetError.self) {
            try ImageFolder(path: path, size: size, limits: limits)
        }
        #expect(error?.folder == path)
        return error?.problems ?? []
    }

    @Test(arguments: [
        (#"{"file_name": "no.png", "text": "x"}"#, "no.png is missing"),
        (#"{"file_name": "../a.png", "text": "x"}"#, #""file_name" is "../a.png""#),
        (#"{"file_name": "/etc/passwd", "text": "x"}"#, #""file_name" is "/etc/passwd""#),
        (#"{"file_name": "b.png", "text": "x", "mask": "../m.png"}"#, #""mask" is "../m.png""#),
        (#"{"file_name": "b.png", "text": "x", "mask": "m.png"}"#, "m.png is missing"),
        (
            #"{"file_name": "b.png", "text": "x", "mask": "large.png"}"#,
            "the mask large.png is 16x6"
        ),
        (#"{"file_name": "b.png"}"#, #"has no "text""#),
        (#"{"text": "x"}"#, #"has no "file_name""#),
        (#"{"file_name": "b.png", "text": " \u3000"}"#, #""text" is empty"#),
        (#"{"file_name": "b.png", "text": 5}"#, #""text" is not a string"#),
        (#"{"file_name": "b.png", "texts": [{"text": ""}]}"#, #""texts[0]" is empty"#),
        (
            #"{"file_name": "b.png", "texts": [{"text": "x", "weight": "y"}]}"#,
            #""texts[0].weight" is not a number"#
        ),
        (#"{"file_name": "b.png", "texts": [{}]}"#, #"has no "texts[0].text""#),
        (
            #"{"file_name": "b.png", "texts": [{"text": "x", "weight": -1}]}"#,
            "the weights of \"texts\" are not usable"
        ),
        (
            #"{"file_name": "b.png", "text": "x", "split": "tset"}"#,
            #"the split "tset" is not known"#
        ),
        (#"{"file_name": "a.png", "text": "x"}"#, #""a.png" stands on line 1 already"#),
        (#"{"file_name": "large.png", "text": "x"}"#, "large.png is 16x6, but a.png has 8x6"),
        (#"{"file_name": "b.png", "text": "x""#, "is not valid JSON"),
        (#"["b.png"]"#, "is not a JSON object"),
    ]) func saysWhatIsWrong(line: String, what: String) throws {
        let found = try problems([#"{"file_name": "a.png", "text": "fine"}"#, line])
        #expect(found.count == 1)
        let problem = try #require(found.first)
        #expect(problem.line == 2 && problem.file == "metadata.jsonl")
        #expect(problem.what.hasPrefix(what), "\(problem)")
        #expect(!problem.remedy.isEmpty)
    }

    @Test func invalidTextAndGiganticLinesAreNamed() throws {
        let caption = String(repeating: "x", count: 9000)
        let found = try problems([
            #"{"file_name": "a.png", "text": "\#(caption)"}"#,
            #"{"file_name": "b.png", "text": "\#(String(repeating: "x", count: 2 << 20))"}"#,
        ])
        #expect(Set(found.compactMap(\.line)) == [1, 2])
        #expect(found.contains { $0.what == "\"text\" has 9000 bytes" })
    }

    @Test func brokenImagesAreNamed() throws {
        let found = try problems(
            ["cut", "text", "folder", "photo"].map {
                #"{"file_name": "\#($0 == "photo" ? "photo.jpg" : $0 + ".png")", "text": "x"}"#
            }
        ) { draft in
            let whole = try PNGEncoder.encode(
                pixels: [UInt8](repeating: 7, count: 144), width: 8, height: 6)
            try draft.add(Array(whole.dropLast(20)), as: "cut.png")
            try draft.add(Array("no image".utf8), as: "text.png")
            try draft.add([0xFF, 0xD8, 0xFF, 0xE0], as: "photo.jpg")
            try FileManager.default.createDirectory(
                atPath: "\(draft.path)/folder.png", withIntermediateDirectories: false)
        }
        #expect(found.map(\.line) == [1, 2, 3, 4])
        #expect(found.allSatisfy { $0.what.contains(".png") || $0.what.contains(".jpg") })
        #expect(found[3].remedy.contains("convert"))
    }

    @Test func theSizeAskedForHolds() throws {
        let found = try problems(
            [#"{"file_name": "a.png", "text": "x"}"#], size: .init(width: 16, height: 16))
        #expect(found.map(\.what) == ["a.png is 8x6, but the training asks for 16x16"])
    }

    @Test func limitsHold() throws {
        var limits = ImageFolder.Limits()
        limits.byteCount = 200
        let lines = ["a", "b"].map { #"{"file_name": "\#($0).png", "text": "x"}"# }
        #expect(try problems(lines, limits: limits).first?.line == 2)
        limits.pixelCount = 10
        #expect(try problems(lines, limits: limits).count == 2)
    }

    @Test func readingStopsAtTwentyProblems() throws {
        let lines = (1...30).map { #"{"file_name": "\#($0).png", "text": "x"}"# }
        let found = try problems(lines)
        #expect(found.count == 20 && found.last?.line == 20)
        let error = DataSetError(folder: "set", problems: found)
        #expect("\(error)".hasPrefix("set: at least 20 problems:\n  metadata.jsonl, line 1: 1.png"))
    }

    @Test func aFolderWithoutMetadataIsNamed() throws {
        let error = #expect(throws: DataSetError.self) {
            try ImageFolder(path: "/nonexistent/folder")
        }
        #expect("\(try #require(error))".contains("metadata.jsonl: is missing; name a folder"))
        #expect(try problems([]).map(\.what) == ["has no line"])
    }

    @Test func combinationsAreRead() throws {
        let draft = try DataSetDraft()
        #expect(try Combination.read(from: draft.path).isEmpty)
        let line =
            #"{"text": "blue rose", "text_zh": "蓝色玫瑰", "kind": "colour", "known": ["rose"]}"#
        try draft.add(Array((line + "\n").utf8), as: "combinations.jsonl")
        let read = try Combination.read(from: draft.path)
        #expect(read.map(\.chineseText) == ["蓝色玫瑰"] && read[0].fileName == nil)
        try draft.add(Array((line + "\n{}\n").utf8), as: "combinations.jsonl")
        let error = #expect(throws: DataSetError.self) { try Combination.read(from: draft.path) }
        #expect(error?.problems.map(\.line) == [2])
    }
}
