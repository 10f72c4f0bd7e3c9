// The `parameters` text of web user interfaces, ours and theirs.

import ImagePipeline
import Testing

@Suite struct InfoTextTests {
    @Test func theTextOfAWebInterfaceIsRead() {
        let text = """
            a cat, (sitting:1.2), by the sea
            second line
            Negative prompt: dog, blurry
            more of it
            Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, \
            Size: 512x768, Model hash: 45dee52b, Lora hashes: "one: 12, two: 34", Version: v1.10.1
            """
        let info = InfoText(parsing: text)
        #expect(info.prompt == "a cat, (sitting:1.2), by the sea\nsecond line")
        #expect(info.negativePrompt == "dog, blurry\nmore of it")
        #expect(info["Steps"] == "20")
        #expect(info["Sampler"] == "DPM++ 2M")
        #expect(info["Size"] == "512x768")
        #expect(info["Lora hashes"] == "one: 12, two: 34")
        #expect(info["Version"] == "v1.10.1")
        #expect(info.settings.count == 9)
        #expect(info.text == text)
    }

    @Test func valuesWithPunctuationAreQuoted() {
        let settings = [
            InfoText.Setting("Steps", "8"), InfoText.Setting("Model", "a, b: \"c\" \\ \n\u{301}é"),
            InfoText.Setting("Empty", ""), InfoText.Setting("Quote", "\"\u{301}x\""),
            InfoText.Setting("Version", "turbine 1"),
        ]
        let info = InfoText(prompt: "p", negativePrompt: "", settings: settings)
        #expect(
            info.text.hasSuffix(
                "\nSteps: 8, Model: \"a, b: \\\"c\\\" \\\\ \\n\u{301}é\", Empty: , "
                    + "Quote: \"\\\"\u{301}x\\\"\", Version: turbine 1"))
        #expect(InfoText(parsing: info.text) == info)
    }

    @Test func aTextWithoutSettingsIsAPrompt() {
        for text in ["a cat", "a cat, style: ink, size: big", "", "\n", ":::,,,", "a: \""] {
            let info = InfoText(parsing: text)
            #expect(info.settings.isEmpty)
            #expect(info.prompt == (text == "\n" ? "" : text))
        }
    }
}
