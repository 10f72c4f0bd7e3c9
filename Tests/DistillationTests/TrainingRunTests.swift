// Runs that are stopped, continued, disturbed; recipes that are wrong.
import Autodiff
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@testable import Distillation

/// A data set of coloured gradients, a recipe for a tiny autoencoder, and folders for runs.
private final class TinyTraining {
    let folder = TemporaryFiles.path("training")
    let data: ImageFolder
    private let draft: DataSetDraft
    private var count = 0

    init() throws {
        draft = try DataSetDraft()
        for index in 0..<6 {
            let level = UInt8(index * 30)
            try draft.addImage(
                "images/\(index).png", color: (level, 200 - level, 90), width: 16, height: 16)
            draft.lines.append(
                #"{"file_name": "images/\#(index).png", "text": "picture \#(index)"}"#)
        }
        data = try ImageFolder(path: try draft.finish())
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func recipe(steps: Int = 6, rate: Double = 1e-3, extra: String = "") -> String {
        """
        {"stage": "vae", "steps": \(steps), "batch": 4, "piece": 2, "crop": 8, \(extra)
         "log_every": 2, "checkpoint_every": 2, "sample_every": 1000,
         "optimizer": {"rate": \(rate), "warm_up": 1, "gradient_limit": 0},
         "model": {"latent_channels": 2, "block_out_channels": [4, 8], "norm_num_groups": 2,
          "use_quant_conv": false, "use_post_quant_conv": false}}
        """
    }

    func path(_ recipe: String) throws -> String {
        count += 1
        let path = "\(folder)/recipe-\(count).json"
        try recipe.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    func stage(_ recipe: String) throws -> AutoencoderStage {
        try AutoencoderStage(
            AutoencoderRecipe(RecipeObject(path: try path(recipe))), data: data)
    }

    func run(
        _ recipe: String, in name: String, threads: Int = 1
    ) throws -> TrainingRun<AutoencoderStage> {
        try run(stage(recipe), recipe, in: name, threads: threads)
    }

    func run(
        _ stage: AutoencoderStage, _ recipe: String, in name: String, threads: Int = 1
    ) throws -> TrainingRun<AutoencoderStage> {
        let settings = try AutoencoderRecipe(RecipeObject(path: try path(recipe))).run
        return try TrainingRun(
            stage, settings, recipe: recipe, folder: "\(folder)/\(name)",
            team: ComputeTeam(threadCount: threads))
    }

    /// The exported weights of a run that is complete.
    func weights(_ run: TrainingRun<AutoencoderStage>) throws -> Data {
        let output = "\(folder)/exported-\(count)"
        try run.export(to: output)
        return try Data(
            contentsOf: URL(
                fileURLWithPath: output + "/diffusion_pytorch_model.safetensors"))
    }
}

@Suite struct TrainingRunTests {
    @Test func `a stopped run goes on to the same bits, at any thread count`() throws {
        let training = try TinyTraining()
        let recipe = TinyTraining.recipe()
        let whole = try training.run(recipe, in: "whole")
        #expect(try whole.run { _ in true })
        let expected = try training.weights(whole)

        let first = try training.run(recipe, in: "parts", threads: 2)
        #expect(try first.run { $0.step < 3 } == false)
        #expect(first.step == 3)
        let second = try training.run(recipe, in: "parts", threads: 3)
        #expect(second.step == 3)
        #expect(try second.run { _ in true })
        #expect(try training.weights(second) == expected)
    }

    @Test func `a killed run goes on from its last checkpoint`() throws {
        struct Kill: Error {}
        let training = try TinyTraining()
        let recipe = TinyTraining.recipe()
        let whole = try training.run(recipe, in: "whole")
        _ = try whole.run { _ in true }
        // The state of step 4 is put back, as if steps 5 and 6 had been lost with the process.
        let part = try training.run(recipe, in: "killed")
        let state = training.folder + "/killed/state.safetensors"
        var saved: Data?
        _ = try part.run { progress in
            if progress.step == 5 { saved = FileManager.default.contents(atPath: state) }
            return true
        }
        try #require(saved).write(to: URL(fileURLWithPath: state))
        let again = try training.run(recipe, in: "killed")
        #expect(again.step == 4)
        _ = try again.run { _ in true }
        #expect(try training.weights(again) == training.weights(whole))
        let log = try String(
            contentsOfFile: training.folder + "/killed/log.csv", encoding: .utf8)
        let steps = log.split(separator: "\n").dropFirst().map { $0.prefix { $0 != "," } }
        #expect(steps == ["2", "4", "6"])
    }

    @Test func `training makes the loss smaller`() throws {
        let training = try TinyTraining()
        let run = try training.run(TinyTraining.recipe(steps: 60), in: "longer", threads: 2)
        var losses: [Double] = []
        _ = try run.run { progress in
            losses.append(progress.loss)
            return true
        }
        let start = losses.prefix(10).reduce(0, +)
        let end = losses.suffix(10).reduce(0, +)
        #expect(end < 0.7 * start, "\(start) \(end)")
        let sample = training.folder + "/longer/samples/0000060.png"
        #expect(FileManager.default.fileExists(atPath: sample))
        #expect(FileManager.default.fileExists(atPath: training.folder + "/longer/loss.png"))
    }

    @Test func `a run that diverges says where and keeps its checkpoint`() throws {
        let training = try TinyTraining()
        let recipe = TinyTraining.recipe(steps: 8)
        let stage = try training.stage(recipe)
        let run = try training.run(stage, recipe, in: "wild")
        let error = #expect(throws: TrainingError.self) {
            try run.run { progress in
                // What an overflow would leave behind, after the checkpoint of step 4.
                if progress.step == 5 {
                    stage.parameters["decoder.conv_in.bias"].floats[0] = .nan
                }
                return true
            }
        }
        #expect(error?.code == .diverged)
        #expect(error?.place == "step 6")
        #expect(try training.run(recipe, in: "wild").step == 4)
    }

    @Test func `a folder of another recipe or other data is refused, unless that is meant`()
        throws
    {
        let training = try TinyTraining()
        func open(
            _ recipe: String, _ data: String, acceptsChanges: Bool = false
        ) throws -> TrainingRun<AutoencoderStage> {
            let settings = try AutoencoderRecipe(
                RecipeObject(path: try training.path(recipe))
            ).run
            return try TrainingRun(
                training.stage(recipe), settings, recipe: recipe, inputs: ["data": data],
                folder: training.folder + "/taken", acceptsChanges: acceptsChanges,
                team: ComputeTeam(threadCount: 1))
        }
        let (first, longer) = (TinyTraining.recipe(), TinyTraining.recipe(steps: 7))
        _ = try open(first, "/data").run { $0.step < 2 }
        for (recipe, data, said) in [(longer, "/data", "recipe"), (first, "/other", "data")] {
            let error = #expect(throws: TrainingError.self) { try open(recipe, data) }
            #expect(error?.code == .unusableRun)
            #expect(error?.what.contains("another \(said)") == true)
        }
        #expect(try open(longer, "/other", acceptsChanges: true).step == 2)
        // From now on that is what the run is made of.
        #expect(try open(longer, "/other").step == 2)
        #expect(throws: TrainingError.self) { try open(first, "/data") }
    }

    @Test func `a run whose log was lost goes on with a new one`() throws {
        let training = try TinyTraining()
        let recipe = TinyTraining.recipe()
        _ = try training.run(recipe, in: "logless").run { $0.step < 2 }
        let log = training.folder + "/logless/log.csv"
        try FileManager.default.removeItem(atPath: log)
        #expect(try training.run(recipe, in: "logless").run { _ in true })
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(lines.first?.hasPrefix("step,seconds,") == true)
        #expect(lines.dropFirst().map { $0.prefix(2) } == ["4,", "6,"])
    }

    @Test func `a damaged state is named`() throws {
        let training = try TinyTraining()
        let run = try training.run(TinyTraining.recipe(), in: "damaged")
        _ = try run.run { $0.step < 2 }
        let state = training.folder + "/damaged/state.safetensors"
        let contents = try Data(contentsOf: URL(fileURLWithPath: state))
        try contents.prefix(contents.count / 2).write(to: URL(fileURLWithPath: state))
        let error = #expect(throws: CheckpointError.self) {
            try training.run(TinyTraining.recipe(), in: "damaged")
        }
        #expect(error?.file == state)
    }

    @Test(arguments: [
        (#""stepz": 3,"#, "stepz"), (#""whole_share": 2,"#, "whole_share"),
        (#""loss": {"chrome": 1},"#, "loss.chrome"), (#""loss": 4,"#, "loss"),
        (#""pooled_share": "much","#, "pooled_share"),
    ])
    func `a wrong recipe is named by file and key`(_ extra: String, _ key: String) throws {
        let training = try TinyTraining()
        let path = try training.path(TinyTraining.recipe(extra: extra))
        let error = #expect(throws: TrainingError.self) {
            try AutoencoderRecipe(RecipeObject(path: path))
        }
        #expect(error?.code == .invalidRecipe)
        #expect(error?.place == "\(path), \"\(key)\"")
    }

    @Test func `contradictions are named`() throws {
        let training = try TinyTraining()
        for (recipe, key) in [
            (TinyTraining.recipe().replacing("\"piece\": 2", with: "\"piece\": 3"), "piece"),
            (TinyTraining.recipe().replacing("\"crop\": 8", with: "\"crop\": 9"), "crop"),
            (TinyTraining.recipe().replacing("\"vae\"", with: "\"teacher\""), "stage"),
        ] {
            let path = try training.path(recipe)
            let error = #expect(throws: TrainingError.self) {
                _ = try AutoencoderStage(
                    AutoencoderRecipe(RecipeObject(path: path)), data: training.data)
            }
            #expect(error?.place.contains("\"\(key)\"") == true)
        }
    }
}
