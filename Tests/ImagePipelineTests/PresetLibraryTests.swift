// Preset files: the shipped one, edits that persist, and every kind of mistake.

import Foundation
import ImagePipeline
import Testing

@Suite struct PresetLibraryTests {
    private static let shipped = repositoryRoot + "/config/default.json"

    @Test func theShippedFileSaysWhatItShould() throws {
        let library = try PresetLibrary(file: Self.shipped)
        var expected = Preset()
        (expected.width, expected.height, expected.stepCount) = (1024, 1024, 40)
        expected.guidance = 7.5
        expected.negativePrompt = "low quality, blurry, distorted, extra fingers"
        #expect(library.defaultPreset == expected)
        #expect(try library.preset(named: "default") == expected)
        #expect(
            library.names
                == ["default", "emoji", "guided", "landscape", "portrait", "preview", "turbo"])
        let turbo = try library.preset(named: "turbo")
        #expect(turbo.stepCount == 8)
        #expect(turbo.guidance == 0)
        let emoji = try library.preset(named: "emoji")
        #expect(emoji.width == 128)
        #expect(emoji.height == 128)
        #expect(emoji.stepCount == 8)
        #expect(emoji.guidance == 0)
    }

    @Test func savingTheShippedFileChangesNothing() throws {
        let folder = try TemporaryFolder()
        let original = try String(contentsOfFile: Self.shipped, encoding: .utf8)
        let path = try folder.write(original, to: "default.json")
        try PresetLibrary(file: path).save()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == original)
        #expect(try folder.entries == ["default.json"])
    }

    @Test func editsPersistAndTheRestIsKept() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            """
            {"default_preset": {"width": 512, "prune_share": 0.37},
             "presets": {"a": {"tile": "off", "num_images": 3},
                         "猫-1": {"negative_prompt": "\\"\\n\\u0001"}}}
            """, to: "presets.json")
        var library = try PresetLibrary(file: path)
        var preset = library.defaultPreset
        try preset.set(key: "num_inference_steps", to: "12")
        try preset.set(key: "cfg_scale", to: "1.5")
        try preset.set(key: "prune", to: "false")
        try preset.set(key: "tile", to: "auto")
        try preset.set(key: "negative_prompt", to: "12")
        try library.set(preset, named: "default")
        try library.set(preset, named: "new")
        try library.save()

        let again = try PresetLibrary(file: path)
        #expect(again == library)
        #expect(again.names == ["default", "a", "new", "猫-1"])
        #expect(again.defaultPreset.width == 512)
        #expect(again.defaultPreset.pruneShare == 0.37)
        #expect(again.defaultPreset.stepCount == 12)
        #expect(again.defaultPreset.guidance == 1.5)
        #expect(again.defaultPreset.prune == false)
        #expect(again.defaultPreset.tile == .automatic)
        #expect(again.defaultPreset.negativePrompt == "12")
        #expect(try again.preset(named: "a").tile == .off)
        #expect(try again.preset(named: "a").imageCount == 3)
        #expect(try again.preset(named: "猫-1").negativePrompt == "\"\n\u{1}")

        try library.remove(named: "new")
        #expect(throws: GenerationError.self) { try library.remove(named: "new") }
        #expect(throws: GenerationError.self) { try library.remove(named: "default") }
        try library.save()
        #expect(try PresetLibrary(file: path).names == ["default", "a", "猫-1"])
    }

    @Test func unknownPresetsListTheKnownOnes() throws {
        let library = try PresetLibrary(file: Self.shipped)
        let error = #expect(throws: GenerationError.self) { try library.preset(named: "trubo") }
        #expect(error?.code == .unknownPreset)
        #expect(error?.what.contains("\"trubo\"") == true)
        #expect(error?.remedy.contains("default, emoji, guided") == true)
    }

    /// A file's content, and the text that the error's field must end with.
    static let brokenFiles: [(String, String)] = [
        ("", "p.json"), ("{", "p.json"), ("[]", "p.json"), ("{}", "p.json"), ("\u{FF}", "p.json"),
        (#"{"default_preset": 1}"#, "default_preset"),
        (#"{"default_preset": {}, "preset": {}}"#, "p.json"),
        (#"{"default_preset": {}, "presets": []}"#, "presets"),
        (#"{"default_preset": {}, "presets": {"x": 3}}"#, "presets.x"),
        (#"{"default_preset": {}, "presets": {"default": {}}}"#, "presets"),
        (#"{"default_preset": {}, "presets": {"a b": {}}}"#, "presets"),
        (#"{"default_preset": {"steps": 3}}"#, "default_preset"),
        (#"{"default_preset": {"width": "3"}}"#, "default_preset.width"),
        (#"{"default_preset": {"width": null}}"#, "default_preset.width"),
        (#"{"default_preset": {"width": 100}}"#, "default_preset.width"),
        (#"{"default_preset": {"width": 0}}"#, "default_preset.width"),
        (#"{"default_preset": {"height": 16400}}"#, "default_preset.height"),
        (#"{"default_preset": {"height": 128.5}}"#, "default_preset.height"),
        (#"{"default_preset": {"height": 1e300}}"#, "default_preset.height"),
        (#"{"default_preset": {"num_inference_steps": 0}}"#, "num_inference_steps"),
        (#"{"default_preset": {"num_inference_steps": true}}"#, "num_inference_steps"),
        (#"{"default_preset": {"cfg_scale": -1}}"#, "default_preset.cfg_scale"),
        (#"{"default_preset": {"cfg_scale": 1e999}}"#, "p.json"),
        (#"{"default_preset": {"prune": 1}}"#, "default_preset.prune"),
        (#"{"default_preset": {"prune_share": 1.1}}"#, "default_preset.prune_share"),
        (#"{"default_preset": {"tile": "yes"}}"#, "default_preset.tile"),
        (#"{"default_preset": {"negative_prompt": "a\u0000b"}}"#, "negative_prompt"),
        (#"{"default_preset": {"negative_prompt": ["a"]}}"#, "negative_prompt"),
        (#"{"default_preset": {"tile_size": 16, "tile_overlap": 16}}"#, "tile_overlap"),
    ]

    @Test(arguments: brokenFiles)
    func brokenFilesNameTheKey(content: String, field: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(content, to: "p.json")
        let error = #expect(throws: GenerationError.self) { try PresetLibrary(file: path) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.field.hasPrefix(path) == true)
        #expect(error?.field.hasSuffix(field) == true, "\(error?.field ?? "")")
    }

    @Test func unknownKeysListTheKnownOnes() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(#"{"default_preset": {"widht": 1}}"#, to: "p.json")
        let error = #expect(throws: GenerationError.self) { try PresetLibrary(file: path) }
        #expect(error?.what == "has no key \"widht\"")
        for key in Preset.keys { #expect(error?.remedy.contains(key) == true) }
    }

    @Test func deepAndHugeFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let deep = String(repeating: "[", count: 100_000)
        let path = try folder.write(deep, to: "deep.json")
        #expect(throws: GenerationError.self) { try PresetLibrary(file: path) }
        let huge = try folder.write(String(repeating: " ", count: 5 << 20), to: "huge.json")
        let error = #expect(throws: GenerationError.self) { try PresetLibrary(file: huge) }
        #expect(error?.code == .resourceLimit)
        let missing = #expect(throws: GenerationError.self) {
            try PresetLibrary(file: folder.file("none.json"))
        }
        #expect(missing?.code == .unreadableFile)
    }

    @Test func unfitEditsAreRefused() throws {
        var library = try PresetLibrary(file: Self.shipped)
        var preset = Preset()
        let unfit = [
            ("width", "100"), ("width", "x"), ("width", ""), ("cfg_scale", "nan"),
            ("cfg_scale", "inf"), ("tile", "yes"), ("prune", "1"), ("widht", "128"),
        ]
        for (key, value) in unfit {
            #expect(throws: GenerationError.self, "\(key)=\(value)") {
                try preset.set(key: key, to: value)
            }
        }
        #expect(preset == Preset())
        preset.width = 17
        let error = #expect(throws: GenerationError.self) { try library.set(preset, named: "x") }
        #expect(error?.code == .invalidArgument)
        #expect(error?.field == "preset x.width")
        for name in ["", "a b", "-x", "a/b", "a\nb"] {
            #expect(throws: GenerationError.self) { try library.set(Preset(), named: name) }
        }
        #expect(try library == PresetLibrary(file: Self.shipped))
    }

    @Test func aPresetFillsFromAnother() throws {
        var base = Preset()
        (base.width, base.guidance, base.tile) = (512, 3, .on)
        var preset = Preset()
        (preset.width, preset.prune) = (256, true)
        let filled = preset.filled(from: base)
        #expect(filled.width == 256)
        #expect(filled.guidance == 3)
        #expect(filled.tile == .on)
        #expect(filled.prune == true)
        #expect(filled.height == nil)
    }

    @Test func presetsAreCodable() throws {
        let library = try PresetLibrary(file: Self.shipped)
        for name in library.names {
            let preset = try library.preset(named: name)
            let data = try JSONEncoder().encode(preset)
            #expect(try JSONDecoder().decode(Preset.self, from: data) == preset)
        }
        #expect(throws: GenerationError.self) {
            try JSONDecoder().decode(Preset.self, from: Data(#"{"width": 1}"#.utf8))
        }
    }
}
