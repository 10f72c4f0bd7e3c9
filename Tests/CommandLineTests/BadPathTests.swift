// Files that cannot be written or read, or hold something else than they should.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct BadPathTests {
    private func refuse(
        _ options: [String], _ fragments: [String], _ folder: TemporaryFolder,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let entries = try folder.entries
        let outcome = try Turbine.generate(["--prompt", "cat"] + options, folder: folder.path)
        try expectRefusal(
            outcome, fragments, in: folder, keeping: entries, sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("missing/cat.png", "does not exist"), (".", "a folder"), ("sub/", "not a file name"),
        ("", "not a file name"), ("/dev/null", "not a regular file"),
        ("/proc/cat.png", "cannot be written"), ("text/cat.png", "cannot be written"),
        (String(repeating: "n", count: 300) + ".png", "file name too long"),
    ]) func anOutputThatCannotBeWritten(path: String, fault: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "text")
        try refuse(["--output", path], [fault, "name "], folder)
        try refuse(["--output", "cat.png", "--latents-out", path], [fault, "name "], folder)
        try refuse(["--output", "cat.png", "--preview", path], [fault, "name "], folder)
    }

    @Test func oneFileForTwoOutputs() throws {
        let folder = try TemporaryFolder()
        let file = ["two outputs", "name a file for each"]
        try refuse(["--output", "cat.png", "--latents-out", "./cat.png"], file, folder)
        try refuse(["--output", "cat.png", "--preview", folder.file("cat.png")], file, folder)
        try refuse(
            ["--output", "cat.png", "--count", "2", "--preview", "cat-1.png"], file, folder)
    }

    @Test func anOutputIsNeeded() throws {
        let folder = try TemporaryFolder()
        try refuse([], ["output file is missing", "--output FILE.png"], folder)
        // Stopping at the last step ends in an image.
        let stop = ["--steps", "2", "--stop-after", "2", "--latents-out", "l.st"]
        try refuse(stop, ["output file is missing", "--output FILE.png"], folder)
    }

    @Test func aStopNeedsASeedToGoOnWith() throws {
        let folder = try TemporaryFolder()
        let outcome = try Turbine.run(
            ["generate", "--prompt", "cat", "--stop-after", "1", "--latents-out", "l.st"],
            folder: folder.path)
        try expectRefusal(outcome, ["--stop-after needs --seed"], in: folder)
    }

    @Test func latentsThatDoNotFit() throws {
        let folder = try TemporaryFolder()
        let kept = try Turbine.generate(
            ["--prompt", "cat", "--steps", "4", "--stop-after", "2", "--latents-out", "l.st"],
            folder: folder.path)
        #expect(kept.succeeded)
        let output = ["--steps", "4", "--output", "cat.png", "--latents-in"]
        try refuse(output + ["none.st"], ["none.st", "check that the file is there"], folder)
        try refuse(output + ["."], [": ", "; "], folder)
        try refuse(output + ["l.st", "--width", "32"], ["shape", "use the width"], folder)
        try refuse(output + ["l.st", "--seed", "6"], ["another request", "seed"], folder)
        try refuse(output + ["l.st", "--guidance", "3"], ["another request", "guidance"], folder)
        try refuse(output + ["l.st", "--no-prune"], ["another request", "pruning"], folder)
        try refuse(output + ["l.st", "--steps", "1"], ["after step 2", "use the steps"], folder)
        try refuse(
            output + ["l.st", "--stop-after", "2", "--latents-out", "m.st"],
            ["at step 2 already", "later step"], folder)
        try folder.write("no latents", to: "text.st")
        try refuse(output + ["text.st"], ["text.st", "header"], folder)
        let whole = try folder.data("l.st")
        try whole.dropLast(7).write(to: folder.url("cut.st"))
        try refuse(output + ["cut.st"], ["cut.st", "cut short"], folder)
        try SafetensorsDraft(folder.url("l.st")).renamed("latents", to: "other")
            .write(to: folder.url("other.st"))
        try refuse(output + ["other.st"], ["no tensor \"latents\"", "--latents-out"], folder)
        var poisoned = try SafetensorsDraft(folder.url("l.st"))
        poisoned.fill("latents", with: 0xFF)
        try poisoned.write(to: folder.url("nan.st"))
        try refuse(output + ["nan.st"], ["not finite"], folder)
    }

    @Test(arguments: [
        ("turbine.step", "-1"), ("turbine.step", "99999999999999999999"), ("turbine.step", "two"),
        ("turbine.step", "5"), ("turbine.judged_step", "3"), ("turbine.judged_step", "-8"),
        ("turbine.judged_step", "first"), ("turbine.request", "0000"),
    ]) func latentsThatStateNonsense(key: String, value: String) throws {
        let folder = try TemporaryFolder()
        _ = try Turbine.generate(
            [
                "--prompt", "cat", "--steps", "4", "--stop-after", "2", "--prune-share", "0.5",
                "--latents-out", "l.st",
            ], folder: folder.path)
        var draft = try SafetensorsDraft(folder.url("l.st"))
        #expect((draft.header["__metadata__"] as? [String: String])?[key] != nil)
        draft.set("__metadata__", key, value)
        try draft.write(to: folder.url("l.st"))
        try refuse(
            [
                "--steps", "4", "--prune-share", "0.5", "--latents-in", "l.st", "--output",
                "cat.png",
            ], ["latents", "; "], folder)
    }

    @Test(arguments: [
        ("{", "JSON"), ("[]", "; "), ("{}", "default_preset"),
        (#"{"default_preset": {"widht": 64}}"#, "width"),
        (#"{"default_preset": {"width": 65}}"#, "multiple of 16"),
        (#"{"default_preset": {"width": "64"}}"#, "multiple of 16"),
        (#"{"default_preset": {"cfg_scale": -1}}"#, "number from 0"),
        (#"{"default_preset": {"negative_prompt": "a\u0000b"}}"#, "NUL"),
        (#"{"default_preset": {}, "presets": {"emoji": 5}}"#, "object"),
        (#"{"default_preset": {}, "other": {}}"#, "presets"),
    ]) func aPresetFileThatBreaksItsRules(text: String, expectation: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "presets.json")
        try refuse(
            ["--output", "cat.png", "--presets", "presets.json"], ["presets.json", expectation],
            folder)
    }

    @Test func presetAndTemplateFilesThatCannotBeRead() throws {
        let folder = try TemporaryFolder()
        let output = ["--output", "cat.png"]
        try refuse(output + ["--presets", "none.json"], ["none.json", "name a file"], folder)
        try refuse(output + ["--presets", "."], [": ", "; "], folder)
        try folder.write("{\"templates\": [5]}", to: "bad.json")
        let template = ["--template", "x", "--output", "cat.png", "--templates"]
        for (path, fragment) in [("none.json", "none.json"), ("bad.json", "bad.json")] {
            let outcome = try Turbine.generate(template + [path], folder: folder.path)
            try expectRefusal(outcome, [fragment, "; "], in: folder, keeping: ["bad.json"])
        }
    }

    @Test func binaryPresetFile() throws {
        let folder = try TemporaryFolder()
        try Data([0xFF, 0xFE, 0x00, 0x80]).write(to: folder.url("presets.json"))
        try refuse(
            ["--output", "cat.png", "--presets", "presets.json"], ["presets.json", "; "], folder)
    }

    @Test(arguments: ["/nonexistent", "/", "/dev/null", "/proc/self/mem"])
    func aModelThatIsNone(path: String) throws {
        let folder = try TemporaryFolder()
        try refuse(["--output", "cat.png", "--model", path], ["model_index.json", "name"], folder)
        try expectRefusal(Turbine.run(["inspect", path]), ["model_index.json", "name"])
        try expectRefusal(Turbine.run(["tokenize", path]), ["tokenizer.json", "give a folder"])
    }
}
