// What `turbine generate` makes when all is well.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct GenerateTests {
    @Test func writesThePictureWithItsParameters() throws {
        let folder = try TemporaryFolder()
        let outcome = try Turbine.generate(
            ["--prompt", "red heart 红心", "--guidance", "2", "--output", "heart.png"],
            folder: folder.path)
        #expect(outcome.succeeded)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output == "heart.png\n")
        #expect(try folder.entries == ["heart.png"])
        let image = try PNGFile(folder.data("heart.png"))
        #expect(image.width == 64)
        #expect(image.height == 48)
        let parameters = try #require(image.text["parameters"])
        #expect(parameters.hasPrefix("red heart 红心\n"))
        for setting in ["Steps: 2,", "CFG scale: 2,", "Seed: 5,", "Size: 64x48,", "Model: emoji"] {
            #expect(parameters.contains(setting), "\(setting)")
        }
        let exact = try #require(image.text["turbine"])
        #expect(exact.contains("\"prompt\":\"red heart 红心\""))
    }

    @Test func leavesTheParametersOutOnRequest() throws {
        let folder = try TemporaryFolder()
        let outcome = try Turbine.generate(
            ["--prompt", "cat face", "--no-metadata", "--output", "cat.png"], folder: folder.path)
        #expect(outcome.succeeded)
        #expect(try PNGFile(folder.data("cat.png")).text.isEmpty)
    }

    @Test func numbersSeveralImagesAndSeedsThemApart() throws {
        let folder = try TemporaryFolder()
        let all = try Turbine.generate(
            ["--prompt", "cat face", "--count", "3", "--output", "cat.png", "--json"],
            folder: folder.path)
        #expect(all.succeeded)
        #expect(try folder.entries == ["cat-0.png", "cat-1.png", "cat-2.png"])
        #expect(try all.json()["files"] as? [String] == ["cat-0.png", "cat-1.png", "cat-2.png"])
        let hashes = try Turbine.hashes(all)
        #expect(Set(hashes).count == 3)
        let last = try Turbine.generate(
            ["--prompt", "cat face", "--seed", "7", "--output", "one.png", "--json"],
            folder: folder.path)
        #expect(try Turbine.hashes(last) == [hashes[2]])
        #expect(try folder.data("one.png") == folder.data("cat-2.png"))
    }

    @Test func reportsAsJSON() throws {
        let folder = try TemporaryFolder()
        let outcome = try Turbine.generate(
            ["--prompt", "cat face", "--prune-share", "0.37", "--output", "cat.png", "--json"],
            folder: folder.path)
        let document = try outcome.json()
        #expect(document["files"] as? [String] == ["cat.png"])
        for key in ["loadSeconds", "totalSeconds", "peakResidentBytes"] {
            #expect(document[key] as? Double ?? 0 > 0, "\(key)")
        }
        let report = try #require(document["report"] as? [String: Any])
        for key in ["model", "modelHash", "numericsClass", "version"] {
            #expect((report[key] as? String)?.isEmpty == false, "\(key)")
        }
        #expect((report["modelHash"] as? String)?.count == 64)
        #expect(report["peakWorkingBytes"] as? Int ?? 0 > 0)
        let image = try #require(try Turbine.images(outcome).first)
        #expect(image["seed"] as? Int == 5)
        #expect((image["sha256"] as? String)?.count == 64)
        #expect((image["stepSeconds"] as? [Double])?.count == 2)
        let seconds = try #require(image["seconds"] as? [String: Double])
        #expect(seconds["denoising"] ?? 0 > 0)
        #expect(seconds["decoding"] ?? 0 > 0)
        #expect(seconds["encoding"] != nil)
        let pruning = try #require(image["pruning"] as? [String: Any])
        #expect(pruning["idleHeads"] as? Int ?? 0 > 0)
        #expect(pruning["attentionSaved"] as? Double ?? 0 > 0)
        #expect(pruning["workSaved"] as? Double ?? 0 > 0)
    }

    @Test(arguments: [
        [], ["--prune-share", "0.37", "--steps", "4"], ["--no-prune", "--tile", "on"],
    ])
    func sameBytesAtAnyThreadCount(options: [String]) throws {
        let folder = try TemporaryFolder()
        let names = ["1", "2", "3", "2"].enumerated().map { ("\($0).png", $1) }
        for (name, threads) in names {
            let outcome = try Turbine.generate(
                options + [
                    "--prompt", "red heart", "--guidance", "1.5", "--width", "96", "--tile-size",
                    "8", "--tile-overlap", "2", "--threads", threads, "--output", name,
                ], folder: folder.path)
            #expect(outcome.succeeded)
        }
        for (name, _) in names.dropFirst() {
            #expect(try folder.data(name) == folder.data("0.png"), "\(name)")
        }
    }

    @Test func anEmptyPromptIsAPictureToo() throws {
        let folder = try TemporaryFolder()
        let outcome = try Turbine.generate(
            ["--prompt", "", "--guidance", "0", "--output", "any.png"], folder: folder.path)
        #expect(outcome.succeeded)
        #expect(try PNGFile(folder.data("any.png")).width == 64)
    }

    @Test func takesTheModelsPresetAndNamedOnes() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"default_preset": {"width": 32, "height": 32, "num_inference_steps": 1},
             "presets": {"emoji": {"width": 48, "cfg_scale": 0}, "wide": {"width": 80}}}
            """, to: "presets.json")
        for (options, width) in [([], 48), (["--preset", "wide"], 80), (["--width", "64"], 64)] {
            let outcome = try Turbine.run(
                ["generate", "--prompt", "cat", "--seed", "1", "--presets", "presets.json"]
                    + options + ["--output", "a.png", "--json"], folder: folder.path)
            let image = try #require(try Turbine.images(outcome).first)
            #expect(image["width"] as? Int == width)
            #expect(image["height"] as? Int == 32)
        }
    }

    @Test func anExplicitCriterionOfPruningBeatsThePresets() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"default_preset": {"prune_share": 0.9}, "presets": {"off": {"prune": false}}}
            """, to: "presets.json")
        func pruning(_ options: [String]) throws -> [String: Any]? {
            let outcome = try Turbine.generate(
                ["--prompt", "cat", "--presets", "presets.json", "--output", "a.png", "--json"]
                    + options, folder: folder.path)
            return try Turbine.images(outcome).first?["pruning"] as? [String: Any]
        }
        #expect(try pruning(["--preset", "default"])?["idleHeads"] as? Int ?? 0 > 10)
        let explicit = ["--preset", "default", "--prune-threshold", "0"]
        #expect(try pruning(explicit)?["idleHeads"] as? Int == 0)
        #expect(try pruning(["--preset", "off"]) == nil)
        #expect(try pruning(["--preset", "off", "--prune"]) != nil)
        #expect(try pruning(["--preset", "default", "--no-prune"]) == nil)
    }

    @Test func fillsTemplatesInBothLanguages() throws {
        let folder = try TemporaryFolder()
        let english = try Turbine.generate(
            [
                "--template", "emoji", "--set", "subject=cat face", "--set", "style=emoji",
                "--output", "en.png",
            ], folder: folder.path)
        #expect(english.succeeded)
        let text = try #require(try PNGFile(folder.data("en.png")).text["parameters"])
        #expect(text.hasPrefix("cat face, emoji\n"))
        try folder.write(
            """
            {"templates": [{"name": "我的", "language": "zh", "description": "自己的",
              "pattern": "{subject}，{quality}", "defaults": {"quality": "高清"}}]}
            """, to: "own.json")
        let chinese = try Turbine.generate(
            [
                "--templates", "own.json", "--template", "我的", "--set", "subject=猫",
                "--output", "zh.png",
            ], folder: folder.path)
        #expect(chinese.succeeded, "\(chinese.errors)")
        let own = try #require(try PNGFile(folder.data("zh.png")).text["parameters"])
        #expect(own.hasPrefix("猫，高清\n"))
    }

    @Test func previewsEachStep() throws {
        let folder = try TemporaryFolder()
        let outcome = try Turbine.generate(
            ["--prompt", "cat", "--preview", "look.png", "--output", "cat.png"],
            folder: folder.path)
        #expect(outcome.succeeded)
        #expect(try PNGFile(folder.data("look.png")).width > 0)
        #expect(try folder.entries == ["cat.png", "look.png"])
    }

    @Test func showsProgressOnATerminalOnly() throws {
        let folder = try TemporaryFolder()
        let options = Turbine.small.joined(separator: " ")
        let command = "turbine generate \(options) --prompt cat --output cat.png"
        let piped = try Turbine.shell(command, folder: folder.path)
        #expect(piped.errors.isEmpty)
        #expect(piped.output == "cat.png\n")
        // `script` gives the command a terminal.
        let terminal = try Turbine.shell("script -qec '\(command)' /dev/null", folder: folder.path)
        #expect(terminal.output.contains("step "))
        #expect(terminal.output.contains("2/2"))
    }

    @Test func replacesAnOlderPicture() throws {
        let folder = try TemporaryFolder()
        try folder.write("old", to: "cat.png")
        let outcome = try Turbine.generate(
            ["--prompt", "cat", "--output", "cat.png"], folder: folder.path)
        #expect(outcome.succeeded)
        #expect(try PNGFile(folder.data("cat.png")).width == 64)
    }

    @Test func findsItsFilesFromAnyFolder() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.file("config"), withIntermediateDirectories: false)
        // The configuration of some other program must not be taken for ours.
        try folder.write("{\"port\": 80}", to: "config/default.json")
        let outcome = try Turbine.generate(
            ["--prompt", "cat", "--output", "cat.png"], folder: folder.path)
        #expect(outcome.succeeded, "\(outcome.errors)")
    }
}
