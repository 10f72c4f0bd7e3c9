// The model in the box is the trainer's export: written again, it is the same folder, byte for
// byte. What diffusers makes of that folder, Tests/Golden/box.* says; the pipeline's tests compare.
import Autodiff
import Checkpoints
import Foundation
import NeuralLayers
import TensorCore
import TestSupport
import Testing
import ZImageModel

@testable import Distillation

@Suite struct ShippedModelTests {
    private let box = Repository.path("Models/emoji")

    private func expectSameFiles(_ components: [String], in folder: String) throws {
        for component in components {
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(box)/\(component)")
            #expect(!files.isEmpty)
            for file in files {
                let path = "\(component)/\(file)"
                let (shipped, written) = (
                    try Data(contentsOf: URL(fileURLWithPath: "\(box)/\(path)")),
                    try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)"))
                )
                #expect(shipped == written, "\(path)")
            }
        }
    }

    @Test func `text encoder, transformer, scheduler and index are as the trainer writes them`()
        throws
    {
        let folder = TemporaryFiles.path("export")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func configuration(_ path: String) throws -> Configuration {
            try Configuration(path: "\(box)/\(path)")
        }
        let (text, transformer) = (
            try configuration("text_encoder/config.json"),
            try configuration("transformer/config.json")
        )
        let store = try Denoiser.copied(from: box)
        // Parameters come into the store as the layers ask for them.
        _ = try Denoiser(
            store, text: Qwen3Configuration(text),
            transformer: TransformerConfiguration(transformer))
        try PipelineFolder(
            base: box, text: text, transformer: transformer,
            schedulerFields: try configuration("scheduler/scheduler_config.json").fields
        ).write(store, to: folder)
        try expectSameFiles(
            ["text_encoder", "transformer", "scheduler"], in: folder)
        let name = "model_index.json"
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: "\(box)/\(name)"))
                == Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }

    @Test func `the autoencoder is as the trainer writes it`() throws {
        let folder = TemporaryFiles.path("export")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let weights = try WeightSet(
            folder: box + "/vae", baseName: "diffusion_pytorch_model")
        let configuration = try Configuration(path: box + "/vae/config.json")
        let store = ParameterStore { try weights.tensor($0, shape: $1).asFloat32() }
        _ = try Autoencoder(
            ParameterScope(load: store.tensor), AutoencoderConfiguration(configuration))
        try ComponentFolder.write(
            configuration.fields, weights: store.byName, baseName: "diffusion_pytorch_model",
            to: folder + "/vae")
        try expectSameFiles(["vae"], in: folder)
    }

    @Test func `its recipes are the ones in the repository, and name the same models`() throws {
        let teacher = try TeacherRecipe(RecipeObject(path: box + "/recipes/teacher.json"))
        let autoencoder = try AutoencoderRecipe(RecipeObject(path: box + "/recipes/vae.json"))
        for (component, recipe) in [
            ("text_encoder/config", teacher.text), ("transformer/config", teacher.transformer),
            ("scheduler/scheduler_config", teacher.scheduler), ("vae/config", autoencoder.model),
        ] {
            let shipped = try Configuration(path: "\(box)/\(component).json")
            #expect(recipe.fields.count > 8)
            for (name, value) in recipe.fields {
                #expect(shipped.fields[name] == value, "\(component) \(name)")
            }
        }
        let student = try DistillationRecipe(RecipeObject(path: box + "/recipes/distill.json"))
        #expect(student.groups == teacher.groups)
    }
}
