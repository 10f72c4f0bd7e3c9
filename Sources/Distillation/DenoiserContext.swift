// What teacher and student trainings share: data as latents, tokenizer, autoencoder,
// configurations.
import Autodiff
import Checkpoints
import Foundation
import NeuralLayers
import TensorCore
import Tokenizers
import ZImageModel

/// The surroundings of a denoiser in training.
final class DenoiserContext {
    let data: ImageFolder
    let latents: LatentSet
    /// Places of the images that are learnt.
    let places: [Int]
    let tokenizer: Qwen2Tokenizer
    let autoencoder: Autoencoder
    let textConfiguration: Qwen3Configuration
    let transformerConfiguration: TransformerConfiguration
    let scheduleConfiguration: ScheduleConfiguration
    private let folder: PipelineFolder
    private let emptyCaption: [Int32]

    /// - Parameters:
    ///   - base: the folder with `tokenizer` and `vae`
    ///   - groups: groups or subgroups of the data set to keep to; empty for all
    ///   - source: where the groups are named, for messages
    ///   - encodesImages: whether the images' latents are needed
    init(
        data: ImageFolder, base: String, text: Configuration, transformer: Configuration,
        scheduler: Configuration, groups: [String], source: String, encodesImages: Bool = true,
        team: ComputeTeam
    ) throws {
        self.data = data
        // As they are given: what follows says which classes they are.
        textConfiguration = try Qwen3Configuration(text)
        transformerConfiguration = try TransformerConfiguration(transformer)
        scheduleConfiguration = try ScheduleConfiguration(scheduler)
        tokenizer = try Qwen2Tokenizer(directory: URL(fileURLWithPath: base + "/tokenizer"))
        let weights = try WeightSet(
            folder: base + "/vae", baseName: "diffusion_pytorch_model")
        autoencoder = try Autoencoder(
            // Gradients flow through it to its input: float32.
            ParameterScope { try weights.tensor($0, shape: $1).asFloat32() },
            AutoencoderConfiguration(Configuration(path: base + "/vae/config.json")))
        let textFields = text.setting("_class_name", nil)
            .setting("architectures", .array([.string("Qwen3Model")]))
            .setting("model_type", .string("qwen3")).setting("dtype", .string("bfloat16"))
        let transformerFields =
            transformer
            .setting("_class_name", .string("ZImageTransformer2DModel"))
            .setting("_diffusers_version", .string("0.42.1"))
        let schedulerFields =
            scheduler
            .setting("_class_name", .string("FlowMatchEulerDiscreteScheduler"))
            .setting("_diffusers_version", .string("0.42.1"))
        folder = PipelineFolder(
            base: base, text: textFields, transformer: transformerFields,
            schedulerFields: schedulerFields.fields)
        emptyCaption = tokenizer.encodeChat(prompt: "")
        try ZImageCheckpoint.checkAgreement(
            tokenizer: tokenizer, text: text, transformer: transformer,
            autoencoder: autoencoder.configuration)
        places = try data.indices(in: [.train, .heldOut], groups: groups, namedIn: source)
        try Self.check(
            data, places, tokenizer, transformerConfiguration,
            scale: autoencoder.configuration.scale)
        latents = try LatentSet(
            data, indices: encodesImages ? places : [], autoencoder,
            patchSize: transformerConfiguration.patchSize, team: team)
    }

    /// Throws when images or captions do not fit the models.
    private static func check(
        _ data: ImageFolder, _ places: [Int], _ tokenizer: Qwen2Tokenizer,
        _ transformer: TransformerConfiguration, scale: Int
    ) throws {
        let multiple = scale * transformer.patchSize
        let size = data.size
        guard size.width % multiple == 0, size.height % multiple == 0 else {
            throw TrainingError(
                .mismatchedModels, "its images are \(size), not multiples of \(multiple)",
                at: data.path, remedy: "crop or resize them")
        }
        let grid = PatchGrid(rows: size.height / multiple, columns: size.width / multiple)
        for place in places {
            let entry = data.entries[place]
            for caption in [entry.text] + entry.captions.map(\.text) {
                let length = tokenizer.encodeChat(
                    prompt: caption, maximumTokenCount: .max
                ).count
                guard length <= TrainedVocabulary.maximumTokenCount else {
                    throw TrainingError(
                        .mismatchedModels,
                        "a caption has \(length) tokens, of which a model sees "
                            + "\(TrainedVocabulary.maximumTokenCount)",
                        at: "\(data.path)/metadata.jsonl, line \(entry.line)",
                        remedy: "shorten it")
                }
                guard transformer.accepts(grid: grid, captionLength: length) else {
                    throw TrainingError(
                        .mismatchedModels,
                        "an image of \(size) and a caption of \(length) tokens lie beyond the "
                            + "transformer's axes_lens",
                        at: "\(data.path)/metadata.jsonl, line \(entry.line)",
                        remedy: "raise axes_lens, or take smaller images or shorter captions")
                }
            }
        }
    }

    func denoiser(_ store: ParameterStore) throws -> Denoiser {
        try Denoiser(store, text: textConfiguration, transformer: transformerConfiguration)
    }

    func write(_ store: ParameterStore, to path: String) throws {
        try folder.write(store, to: path)
    }

    /// The places of a step's images: all are drawn in rounds.
    func places(step: Int, _ run: RunSettings) -> [Int] {
        ShuffledRounds(count: places.count, seed: run.seed)
            .items(from: step * run.batchSize, count: run.batchSize).map { places[$0] }
    }

    /// One of an image's captions at random, sometimes the empty one.
    func caption(_ place: Int, dropout: Double, _ random: inout TorchGenerator) -> [Int32] {
        let isDropped = Double(random.nextUniform()) < dropout
        let share = Double(random.nextUniform())
        if isDropped { return emptyCaption }
        return tokens(data.entries[place].caption(at: share).text)
    }

    func tokens(_ caption: String) -> [Int32] { tokenizer.encodeChat(prompt: caption) }
    var emptyTokens: [Int32] { emptyCaption }

    /// (1 − σ) data + σ noise, and data − noise, in rows of patches of all samples.
    func mixed(
        _ places: [Int], _ noise: Tensor, _ sigmas: [Float]
    ) -> (noisy: Tensor, velocity: Tensor) {
        let (noisy, velocity) = (
            Tensor(uninitialized: noise.shape), Tensor(uninitialized: noise.shape)
        )
        let width = noise.count / places.count
        for (index, place) in places.enumerated() {
            let sigma = sigmas[index]
            let clear = latents.patches[place]!
            for i in 0..<width {
                let (x, n) = (clear.floats[i], noise.floats[index * width + i])
                noisy.floats[index * width + i] = (1 - sigma) * x + sigma * n
                velocity.floats[index * width + i] = x - n
            }
        }
        return (noisy, velocity)
    }

    /// Images from captions, decoded: [3, height, width] each.
    ///
    /// - Parameter seeds: of each image's noise, which the pipeline draws alike
    func images(
        _ model: Denoiser, _ captions: [String], steps: Int, guidance: Float, seeds: [UInt64],
        team: ComputeTeam
    ) throws -> [Tensor] {
        let sampler = LatentSampler(
            textEncoder: model.textEncoder, transformer: model.transformer,
            schedule: scheduleConfiguration)
        let size = 4
        let pieces = (captions.count + size - 1) / size
        return try team.map(pieces) { piece, operations in
            let range = piece * size..<min(captions.count, (piece + 1) * size)
            let noises = range.map { index -> Tensor in
                var random = TorchGenerator(seed: seeds[index])
                return Tensor(
                    random.normals(latents.shape.reduce(1, *)), shape: latents.shape)
            }
            let sampled = try sampler.sample(
                range.map { tokens(captions[$0]) }, empty: emptyCaption, noises: noises,
                steps: steps, guidance: guidance, operations: operations)
            return try sampled.map { latents in
                try autoencoder.decode(
                    autoencoder.denormalize(latents, operations: operations),
                    operations: operations)
            }
        }.flatMap { $0 }
    }

    /// A sheet of the recipe's prompts.
    func sheet(
        _ model: Denoiser, _ settings: SampleSettings, team: ComputeTeam
    ) throws -> ContactSheet? {
        guard !settings.prompts.isEmpty else { return nil }
        var sheet = ContactSheet(size: data.size, columns: min(8, settings.prompts.count))
        let images = try images(
            model, settings.prompts, steps: settings.steps, guidance: settings.guidance,
            seeds: settings.prompts.indices.map { UInt64($0 + 1) }, team: team)
        for (image, prompt) in zip(images, settings.prompts) {
            sheet.add(image: image, caption: prompt)
        }
        return sheet
    }
}

extension ImageFolder {
    /// The places of the images of some splits and groups or subgroups; no groups stand for all.
    ///
    /// - Parameter source: where the groups are named
    /// - Throws: `TrainingError` for a group that no image has
    fileprivate func indices(
        in splits: Set<DataSplit>, groups: [String], namedIn source: String
    ) throws -> [Int] {
        let places = indices(in: splits)
        guard !places.isEmpty else {
            throw TrainingError(
                .mismatchedModels, "has no images to learn: all are combinations", at: path,
                remedy: "give some of them the split train")
        }
        let known = Set(places.flatMap { [entries[$0].group, entries[$0].subgroup] })
        if let unknown = groups.first(where: { !known.contains($0) }) {
            let names = known.compactMap(\.self).sorted().joined(separator: ", ")
            throw TrainingError(
                .invalidRecipe, "\"\(unknown)\" is no group of \(path)", at: source,
                remedy: names.isEmpty ? "its images have none" : "it has: \(names)")
        }
        return places.filter { place in
            groups.isEmpty || groups.contains(entries[place].group ?? "")
                || groups.contains(entries[place].subgroup ?? "")
        }
    }
}

extension Configuration {
    /// A copy with one field set, or removed.
    func setting(_ name: String, _ value: JSONValue?) -> Configuration {
        var fields = self.fields
        fields[name] = value
        return Configuration(file: file, fields: fields)
    }
}
