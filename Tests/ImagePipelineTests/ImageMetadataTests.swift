// The parameters of an image, written into it and read back.

import ImagePipeline
import Testing

@Suite struct ImageMetadataTests {
    static let plain = ImageMetadata(
        prompt: "a cat", seed: 42, steps: 8, guidance: 0, width: 128, height: 128,
        modelName: "emoji", modelHash: "0123456789", numericsClass: "bf16-avx512",
        version: "0.1")

    static let full = ImageMetadata(
        prompt: "一只猫, \"quoted\"\nline: two", negativePrompt: "dog\n模糊", seed: .max, steps: 40,
        guidance: 7.5, cfgNormalization: 1.25, cfgTruncation: 0.9, width: 1024, height: 768,
        modelName: "Z-Image, turbo: 1", modelHash: "ffeeddccbb", numericsClass: "f32-scalar",
        version: "0.1", preset: "guided", template: "portrait-zh",
        pruning: .init(threshold: 0.1, share: 0.37, attentionSaved: 0.25, workSaved: 0.0625))

    @Test func theParametersTextIsWhatToolsExpect() throws {
        let text = try Self.plain.textEntries()
        #expect(text.map(\.key) == ["parameters", "turbine", "Software"])
        #expect(
            text[0].value == """
                a cat
                Steps: 8, Sampler: Euler, Schedule type: Normal, CFG scale: 0, Seed: 42, \
                Size: 128x128, Model hash: 0123456789, Model: emoji, RNG: CPU, \
                Numerics: bf16-avx512, Version: turbine 0.1
                """)
        #expect(text[2].value == "Turbine 0.1")
    }

    @Test func unusualValuesAreQuoted() throws {
        let text = try Self.full.textEntries()[0].value
        #expect(text.hasPrefix("一只猫, \"quoted\"\nline: two\nNegative prompt: dog\n模糊\nSteps: 40"))
        #expect(text.contains("Model: \"Z-Image, turbo: 1\", "))
        #expect(text.contains("Seed: 18446744073709551615, "))
        let info = InfoText(parsing: text)
        #expect(info == Self.full.infoText)
        #expect(info["CFG scale"] == "7.5")
        #expect(info["Attention pruning share"] == "0.37")
        #expect(info["Preset"] == "guided")
    }

    @Test(arguments: [plain, full])
    func everythingComesBackFromTheFile(metadata: ImageMetadata) throws {
        let file = try PNGEncoder.encode(
            pixels: [1, 2, 3], width: 1, height: 1, text: metadata.textEntries())
        let text = try PNGDecoder().decode(file).text
        #expect(try text == metadata.textEntries())
        #expect(try ImageMetadata(text: text) == metadata)
    }

    @Test func theJSONHasDocumentedKeys() throws {
        let json = try Self.plain.textEntries()[1].value
        #expect(
            json == """
                {"guidance":0,"height":128,"model":"emoji","model_hash":"0123456789",\
                "negative_prompt":"","numerics_class":"bf16-avx512","prompt":"a cat","seed":42,\
                "steps":8,"version":"0.1","width":128}
                """)
    }

    @Test func imagesOfOthersHaveNoMetadata() throws {
        #expect(try ImageMetadata(text: []) == nil)
        #expect(try ImageMetadata(text: [PNGText(key: "parameters", value: "x")]) == nil)
    }

    @Test(arguments: ["", "{}", "[1]", "{\"seed\":-1}", "nonsense"])
    func damagedMetadataIsAnError(value: String) {
        let error = #expect(throws: GenerationError.self) {
            try ImageMetadata(text: [PNGText(key: "turbine", value: value)])
        }
        #expect(error?.code == .unreadableImage)
    }

    @Test func numbersHaveToBeFinite() {
        var metadata = Self.plain
        metadata.guidance = .nan
        let error = #expect(throws: GenerationError.self) { try metadata.textEntries() }
        #expect(error?.code == .invalidArgument)
    }
}
