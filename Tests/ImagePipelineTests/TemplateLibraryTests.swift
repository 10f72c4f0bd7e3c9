// Template files: the shipped ones, filling slots in, and every kind of mistake.

import ImagePipeline
import Testing

@Suite struct TemplateLibraryTests {
    private static let folder = repositoryRoot + "/config/templates"
    private static let slots = ["subject", "action", "lighting", "style", "quality"]

    /// A library of one template, `t`, with this pattern.
    private static func library(
        _ pattern: String, defaults: String = "{}", required: String = "[]"
    ) throws -> TemplateLibrary {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            """
            {"templates": [{"name": "t", "language": "en", "description": "d",
              "pattern": "\(pattern)", "defaults": \(defaults), "required": \(required)}]}
            """, to: "t.json")
        return try TemplateLibrary(files: [path])
    }

    @Test func theShippedTemplatesHaveTheFiveSlots() throws {
        let library = try TemplateLibrary(files: [Self.folder])
        #expect(library.templates(language: "en").count >= 8)
        #expect(library.templates(language: "zh").count >= 8)
        #expect(library.templates().count == library.names.count)
        for template in library.templates() {
            #expect(template.slots == Self.slots, "\(template.name)")
            #expect(template.required == ["subject"])
            for slot in Self.slots {
                #expect(template.suggestions[slot]?.isEmpty == false, "\(template.name) \(slot)")
            }
        }
    }

    @Test func theShippedTemplatesReadWell() throws {
        let library = try TemplateLibrary(files: [Self.folder])
        for template in library.templates() {
            let subject = try #require(template.suggestions["subject"]?.first)
            let blank = Dictionary(uniqueKeysWithValues: Self.slots.dropFirst().map { ($0, "") })
            let short = try template.render(blank.merging(["subject": subject]) { $1 })
            let long = try template.render(
                template.suggestions.compactMapValues(\.first).merging(["subject": subject]) { $1 })
            for prompt in [short, long, try template.render(["subject": subject])] {
                #expect(prompt.contains(subject))
                for flaw in [", ,", ",,", "，，", "  ", "{", "}"] {
                    #expect(!prompt.contains(flaw), "\(template.name): \(prompt)")
                }
                for end in [" ", ",", "，"] {
                    #expect(!prompt.hasSuffix(end) && !prompt.hasPrefix(end), "\(prompt)")
                }
            }
            #expect(!short.contains(template.language == "zh" ? "，" : ","), "\(short)")
            #expect(long.count > short.count)
        }
    }

    @Test func theShippedPromptsInFull() throws {
        let library = try TemplateLibrary(files: [Self.folder])
        #expect(try library.render(name: "emoji", slots: ["subject": "red heart"]) == "red heart")
        let landscape = try library.render(
            name: "landscape", slots: ["subject": "a lake", "quality": ""])
        #expect(landscape == "a lake, golden hour light, wide-angle landscape photograph")
        let portrait = try library.render(
            name: "portrait-zh", slots: ["subject": "渔夫", "lighting": "烛光", "quality": " "])
        #expect(portrait == "渔夫的肖像，注视镜头，烛光，摄影，85mm镜头，浅景深")
    }

    /// Pattern, slots, prompt.
    static let renderings: [(String, [String: String], String)] = [
        ("{a}, {b}, {c}", ["a": "1", "b": "2", "c": "3"], "1, 2, 3"),
        ("{a}, {b}, {c}", ["a": "1", "c": "3"], "1, 3"),
        ("{a}, {b}, {c}", ["b": "2"], "2"),
        ("{a}, {b}, {c}", ["c": "3"], "3"),
        ("{a}, {b}, {c}", [:], ""),
        ("photo of {a}, in {b} light.", ["a": "x"], "photo of x."),
        ("photo of {a}, in {b} light.", ["a": "x", "b": "soft"], "photo of x, in soft light."),
        ("{a} {b} {c}", ["a": "1", "c": "3"], "1 3"),
        ("{a} {b} {c}", ["a": "1"], "1"),
        ("{a} {b} {c}", ["c": "3"], "3"),
        ("{a}. {b}; {c}", ["a": "1", "c": "3"], "1; 3"),
        ("{a}，{b}。", ["a": "一"], "一。"),
        ("f/1.8 lens, {a}", [:], "f/1.8 lens"),
        ("f/1.8 lens, {a}", ["a": "x"], "f/1.8 lens, x"),
        (#"{a}\n{b}\n{c}"#, ["a": "1", "c": "3"], "1\n3"),
        ("{a}, {a}", ["a": "1"], "1, 1"),
        ("{a}, {b}", ["a": "{b}", "b": "{a}{"], "{b}, {a}{"),
        ("{a}, {b}", ["a": "x, , y  z", "b": "w"], "x, , y  z, w"),
    ]

    @Test(arguments: renderings)
    func rendering(pattern: String, slots: [String: String], prompt: String) throws {
        #expect(try Self.library(pattern).render(name: "t", slots: slots) == prompt)
    }

    @Test func defaultsCanBeReplacedAndEmptied() throws {
        let library = try Self.library("{a}, {b}", defaults: #"{"b": "x"}"#)
        #expect(try library.render(name: "t", slots: ["a": "1"]) == "1, x")
        #expect(try library.render(name: "t", slots: ["a": "1", "b": "y"]) == "1, y")
        #expect(try library.render(name: "t", slots: ["a": "1", "b": ""]) == "1")
    }

    @Test func errorsListWhatExists() throws {
        let library = try TemplateLibrary(files: [Self.folder])
        let template = #expect(throws: GenerationError.self) {
            try library.render(name: "protrait", slots: [:])
        }
        #expect(template?.code == .unknownTemplate)
        #expect(template?.remedy.contains("portrait, portrait-zh") == true)
        let slot = #expect(throws: GenerationError.self) {
            try library.render(name: "portrait", slots: ["subject": "x", "mood": "y"])
        }
        #expect(slot?.code == .unknownSlot)
        #expect(slot?.what.contains("\"mood\"") == true)
        #expect(slot?.remedy.contains("subject, action, lighting, style, quality") == true)
        for slots in [[:], ["subject": " "]] {
            let missing = #expect(throws: GenerationError.self) {
                try library.render(name: "portrait", slots: slots)
            }
            #expect(missing?.code == .missingSlot)
            #expect(missing?.remedy.contains("subject, action") == true)
        }
    }

    @Test func ownFilesExtendAndReplace() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            """
            {"templates": [
              {"name": "mine", "language": "de", "description": "d", "pattern": "{thema}, {stil}"},
              {"name": "portrait", "language": "en", "description": "d", "pattern": "{subject}"}]}
            """, to: "mine.json")
        _ = try folder.write("not JSON", to: "notes.txt")
        for source in [path, folder.path] {
            let library = try TemplateLibrary(files: [Self.folder, source])
            #expect(library.names.contains("mine"))
            #expect(library.names.contains("landscape"))
            #expect(try library.render(name: "mine", slots: ["stil": "Öl"]) == "Öl")
            #expect(try library.render(name: "portrait", slots: ["subject": "x"]) == "x")
        }
    }

    /// A template's members, and what the error's field must end with.
    static let broken: [(String, String)] = [
        ("1", "templates[0]"), ("{}", "name"), (#"{"name": "", "x": 1}"#, "templates[0]"),
        (#"{"name": "n", "language": "en", "description": "d"}"#, "pattern"),
        (member(#""pattern": "{a""#), "pattern"), (member(#""pattern": "a}""#), "pattern"),
        (member(#""pattern": "{}""#), "pattern"), (member(#""pattern": "{a b}""#), "pattern"),
        (member(#""pattern": "{a{b}}""#), "pattern"), (member(#""pattern": 3"#), "pattern"),
        (member(#""pattern": "{a}", "required": ["b"]"#), "required"),
        (member(#""pattern": "{a}", "required": "a""#), "required"),
        (member(#""pattern": "{a}", "defaults": {"b": "x"}"#), "defaults"),
        (member(#""pattern": "{a}", "defaults": {"a": 1}"#), "defaults"),
        (member(#""pattern": "{a}", "suggestions": {"a": "x"}"#), "suggestions"),
        (member(#""pattern": "{a}", "suggestions": {"a": [1]}"#), "suggestions"),
        (member(#""pattern": "{a}""#) + "," + member(#""pattern": "{a}""#), "templates[1].name"),
    ]

    private static func member(_ members: String) -> String {
        #"{"name": "n", "language": "en", "description": "d", \#(members)}"#
    }

    @Test(arguments: broken)
    func brokenTemplatesNameTheKey(content: String, field: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(#"{"templates": [\#(content)]}"#, to: "t.json")
        let error = #expect(throws: GenerationError.self) { try TemplateLibrary(files: [path]) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.field.hasPrefix(path) == true)
        #expect(error?.field.hasSuffix(field) == true, "\(error?.field ?? "")")
    }

    @Test func brokenFilesNameTheFile() throws {
        let folder = try TemporaryFolder()
        for content in ["", "[]", "{}", #"{"templates": {}}"#, #"{"templates": [], "x": 1}"#] {
            let path = try folder.write(content, to: "t.json")
            let error = #expect(throws: GenerationError.self) { try TemplateLibrary(files: [path]) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.field.hasPrefix(path) == true)
        }
        let missing = #expect(throws: GenerationError.self) {
            try TemplateLibrary(files: [folder.file("none.json")])
        }
        #expect(missing?.code == .unreadableFile)
    }
}
