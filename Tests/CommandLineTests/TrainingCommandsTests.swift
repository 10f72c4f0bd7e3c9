// The commands of training, one after the other, on models that take seconds: what each makes, the
// next one takes, and `turbine generate` draws with the last.
import Foundation
import TestSupport
import Testing

/// A data set of six small pictures and recipes for models of a few thousand weights.
private final class TinyTraining {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let outcome = try Turbine.run(
            [
                "generate", "--prompt", "red heart", "--count", "6", "--width", "64", "--height",
                "64", "--steps", "1", "--seed", "5", "--output", folder.file("data.png"),
            ])
        try #require(outcome.succeeded, "\(outcome.errors)")
        try FileManager.default.createDirectory(
            at: folder.url("data"), withIntermediateDirectories: true)
        var lines: [String] = []
        for index in 0..<6 {
            try FileManager.default.moveItem(
                at: folder.url("data-\(index).png"), to: folder.url("data/\(index).png"))
            lines.append(#"{"file_name": "\#(index).png", "text": "picture \#(index)"}"#)
        }
        try folder.write(lines.joined(separator: "\n") + "\n", to: "data/metadata.jsonl")
    }

    /// The recipe of the model in the box, smaller, in a file of the folder; its name.
    func recipe(_ stage: String, _ changes: [String: Any]) throws -> String {
        let path = Repository.path("Models/emoji/recipes/\(stage).json")
        let read = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: path)))
        var fields = try #require(read as? [String: Any])
        fields["groups"] = nil
        fields["sample_every"] = 1000
        fields["batch"] = 2
        fields["piece"] = 1
        if var optimizer = fields["optimizer"] as? [String: Any] {
            optimizer["warm_up"] = 2
            optimizer["decay"] = 0
            fields["optimizer"] = optimizer
        }
        for (name, change) in changes {
            let old = fields[name] as? [String: Any] ?? [:]
            fields[name] = (change as? [String: Any]).map { old.merging($0) { $1 } } ?? change
        }
        let data = try JSONSerialization.data(withJSONObject: fields)
        let name = "\(stage).json"
        try data.write(to: folder.url(name))
        return folder.file(name)
    }

    /// Arguments of a stage that follows a recipe.
    func arguments(
        _ command: [String], recipe: String, run: String, output: String
    ) -> [String] {
        command + [
            "--recipe", recipe, "--data", folder.file("data"), "--run", folder.file(run),
            "--output", folder.file(output),
        ]
    }

    /// Runs a command that has to succeed.
    @discardableResult
    func run(_ arguments: [String]) throws -> Turbine.Outcome {
        let outcome = try Turbine.run(arguments)
        try #require(outcome.succeeded, "\(arguments.prefix(2)): \(outcome.errors)")
        return outcome
    }

    func makeTokenizerAndAutoencoder() throws {
        try run([
            "train", "tokenizer", "--data", folder.file("data"), "--vocabulary", "264",
            "--output", folder.file("base/tokenizer"),
        ])
        let recipe = try recipe(
            "vae",
            [
                "steps": 4, "crop": 32,
                "model": [
                    "latent_channels": 4, "norm_num_groups": 4,
                    "block_out_channels": [8, 8, 8, 8],
                ],
            ])
        try run(arguments(["train", "vae"], recipe: recipe, run: "vae", output: "base/vae"))
    }

    func teacherArguments(steps: Int, run: String, output: String) throws -> [String] {
        let recipe = try recipe(
            "teacher",
            [
                "steps": steps, "checkpoint_every": 2,
                "samples": ["prompts": ["picture 1"], "steps": 2],
                "text_encoder": [
                    "vocab_size": 264, "hidden_size": 64, "intermediate_size": 64,
                    "num_attention_heads": 1,
                ],
                "transformer": [
                    "dim": 64, "n_heads": 1, "n_kv_heads": 1, "n_layers": 2, "in_channels": 4,
                    "cap_feat_dim": 64,
                ],
            ])
        return arguments(["train", "teacher"], recipe: recipe, run: run, output: output)
            + ["--base", folder.file("base")]
    }

    /// The bytes of every file of a checkpoint, by path.
    func contents(_ name: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        let entries = FileManager.default.enumerator(atPath: folder.file(name))
        while let entry = entries?.nextObject() as? String {
            if let data = try? folder.data("\(name)/\(entry)") { found[entry] = data }
        }
        return found
    }
}

@Suite struct TrainingCommandsTests {
    @Test func `from a folder of images to a picture of the student`() throws {
        let tiny = try TinyTraining()
        let folder = tiny.folder
        try tiny.makeTokenizerAndAutoencoder()
        let trained = try tiny.run(
            tiny.teacherArguments(steps: 4, run: "teacher-run", output: "teacher"))
        #expect(trained.output.contains("teacher: 4 steps, at most"))
        for file in ["recipe.json", "state.safetensors", "log.csv", "loss.png"] {
            #expect(folder.exists("teacher-run/\(file)"), "\(file)")
        }
        let log = String(decoding: try folder.data("teacher-run/log.csv"), as: UTF8.self)
        #expect(log.hasPrefix("step,seconds,gradient_norm,rate,loss"))
        #expect(log.split(separator: "\n").last?.hasPrefix("4,") == true)
        let samples = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("teacher-run/samples"))
        #expect(samples.sorted() == ["0000004.png", "0000004.txt"])

        let recipe = try tiny.recipe(
            "distill",
            [
                "steps": 2, "student_steps": ["2"], "alignment_share": 1,
                "samples": ["prompts": ["picture 1"], "steps": 2],
            ])
        try tiny.run(
            tiny.arguments(["distill"], recipe: recipe, run: "student-run", output: "student")
                + ["--teacher", folder.file("teacher")])
        let evaluated = try tiny.run([
            "evaluate", "--model", folder.file("student"), "--data", folder.file("data"),
            "--steps", "2", "--guidance", "0", "--teacher", folder.file("teacher"),
            "--teacher-steps", "3", "--compared", "2", "--output", folder.file("evaluation"),
        ])
        let report = try evaluated.json()
        #expect(report["concepts"] as? Int == 6)
        #expect(report["evaluationsAnImage"] as? Int == 2)
        #expect((report["teacher"] as? [String: Any])?["images"] as? Int == 2)
        #expect((report["teacherPlan"] as? [String: Any])?["steps"] as? Int == 3)
        #expect(
            try folder.data("evaluation/evaluation.json") == Data(evaluated.output.utf8))
        #expect(folder.exists("evaluation/sheet.png"))

        try tiny.run([
            "generate", "--model", folder.file("student"), "--prompt", "picture 1", "--width",
            "64", "--height", "64", "--steps", "2", "--guidance", "0", "--output",
            folder.file("picture.png"),
        ])
        #expect(folder.exists("picture.png"))
    }

    @Test func `a run that is interrupted, killed and out of space makes the same model`()
        throws
    {
        let tiny = try TinyTraining()
        let folder = tiny.folder
        try tiny.makeTokenizerAndAutoencoder()
        let steps = 400
        try tiny.run(tiny.teacherArguments(steps: steps, run: "whole", output: "undisturbed"))
        let arguments = try tiny.teacherArguments(steps: steps, run: "run", output: "model")
        for (signal, exitCode) in [(SIGINT, 130 as Int32?), (SIGKILL, nil)] {
            let saved = try? folder.data("run/state.safetensors")
            let running = try Running(Turbine.path, arguments)
            running.wait { (try? folder.data("run/state.safetensors")) != saved }
            running.send(signal)
            let outcome = try running.wait()
            #expect(outcome.exitCode == exitCode, "\(outcome.errors)")
            #expect(!folder.exists("model"))
            if signal == SIGINT {
                #expect(outcome.errors.contains("the same command goes on from there"))
            }
        }
        // Files may have 256 KiB, less than the state: as on a disk that is full.
        let saved = try folder.data("run/state.safetensors")
        #expect(saved.count > 1 << 18)
        let full = try Turbine.shell(
            "trap '' XFSZ; ulimit -f 512; exec turbine " + arguments.joined(separator: " "))
        #expect(full.exitCode == 1)
        #expect(full.errors.contains("run/state.safetensors"), "\(full.errors)")
        #expect(full.errors.lowercased().contains("file too large"), "\(full.errors)")
        #expect(try folder.data("run/state.safetensors") == saved)
        #expect(!folder.exists("model"))
        let last = try tiny.run(arguments)
        #expect(last.errors.contains("turbine: going on from step "))
        let (whole, resumed) = (try tiny.contents("undisturbed"), try tiny.contents("model"))
        #expect(whole.count > 8)
        #expect(whole == resumed)

        let longer = try tiny.teacherArguments(steps: steps + 1, run: "run", output: "longer")
        let refused = try Turbine.run(longer)
        try expectRefusal(refused, ["run: belongs to another recipe", "--accept-changes"])
        let accepted = try tiny.run(longer + ["--accept-changes"])
        #expect(accepted.errors.contains("going on from step \(steps) of \(steps + 1)"))
    }

    @Test func `mistakes are named, and nothing is made`() throws {
        let tiny = try TinyTraining()
        let folder = tiny.folder
        func refuse(
            _ command: [String], _ fragments: [String],
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let outcome = try Turbine.run(command)
            try expectRefusal(outcome, fragments, sourceLocation: sourceLocation)
            for made in ["run", "out"] {
                #expect(!folder.exists(made), "\(made)", sourceLocation: sourceLocation)
            }
        }
        func autoencoder(_ changes: [String: Any]) throws -> [String] {
            tiny.arguments(
                ["train", "vae"], recipe: try tiny.recipe("vae", changes), run: "run",
                output: "out")
        }
        try refuse(autoencoder(["colour": 1]), ["vae.json, \"colour\": is not a key", "crop"])
        try refuse(
            autoencoder(["model": ["latent_chanels": 4]]),
            ["vae.json, \"model.latent_chanels\": is not a key", "latent_channels"])
        try refuse(autoencoder(["batch": 3, "piece": 2]), ["\"piece\": is 2", "divide the batch"])
        try refuse(autoencoder(["stage": "teacher"]), ["vae.json, \"stage\": is teacher"])
        try refuse(
            tiny.arguments(
                ["train", "vae"], recipe: folder.file("none.json"), run: "run", output: "out"),
            ["none.json", "No such file", "check that"])
        try refuse(
            tiny.arguments(
                ["distill"], recipe: tiny.recipe("distill", [:]), run: "run", output: "out")
                + ["--teacher", folder.file("data")],
            ["has no model_index.json", "name a checkpoint folder"])
        try refuse(
            [
                "evaluate", "--model", Turbine.boxModel, "--data", folder.file("data"),
                "--steps", "0", "--output", folder.file("out"),
            ], ["--steps is 0"])
        try Data("no picture".utf8).write(to: folder.url("data/3.png"))
        try refuse(autoencoder(["steps": 2, "crop": 32]), ["metadata.jsonl, line 4: 3.png"])
    }
}
