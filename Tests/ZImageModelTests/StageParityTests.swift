// Every stage of the networks against diffusers, element by element.
import Checkpoints
import NeuralLayers
import TensorCore
import TestSupport
import Testing

@testable import ZImageModel

@Suite struct StageParityTests {
    let operations = EagerOperations(pool: ThreadPool(threadCount: 2))

    private func expectMatch(
        _ actual: Tensor, _ golden: GoldenData, _ name: String,
        tolerance: Float = Tolerance.stage
    ) throws {
        let error = relativeError(actual, try golden.tensor(name))
        #expect(error <= tolerance, "\(golden.folder) \(name): \(error)")
    }

    @Test(arguments: GoldenData.checkpoints) func textEncoder(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let encoder = try ZImageCheckpoint(folder: golden.folder).textEncoder
        var compared = 0
        for item in golden.cases["text"].arrayValue ?? [] {
            let name = try #require(item["name"].stringValue)
            let ids = (item["ids"].arrayValue ?? []).compactMap(\.intValue).map(Int32.init)
            let features = try encoder.encode([ids], operations: operations) { stage, output in
                let layer = stage.replacing("text_encoder.", with: "text.\(name).") + ".output"
                if golden.contains(layer) {
                    compared += 1
                    try expectMatch(output, golden, layer)
                }
            }
            try expectMatch(features, golden, "text.\(name).embeddings")
        }
        #expect(compared > 0 || encoder.configuration.layerCount == 1)
    }

    @Test func sequencesOfABatchDoNotSeeEachOther() throws {
        let golden = try GoldenData(checkpoint: "a-f32-single")
        let encoder = try ZImageCheckpoint(folder: golden.folder).textEncoder
        let sequences: [[Int32]] = [[5, 6, 7], [8], [9, 10, 11, 12, 13]]
        let together = try encoder.encode(sequences, operations: operations)
        let apart = try sequences.flatMap {
            try encoder.encode([$0], operations: operations).elements
        }
        #expect(relativeError(together.elements, apart) <= Tolerance.operation)
    }

    @Test(arguments: GoldenData.checkpoints) func transformer(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let transformer = try ZImageCheckpoint(folder: golden.folder).transformer
        let time = Float(try #require(golden.cases["transformer"]["time"].doubleValue))
        var compared = 0
        let output = try velocity(
            transformer, golden, caption: golden.tensor("transformer.caption"), time: time
        ) { stage, output in
            let alias = ["transformer.x_embedder": "transformer.all_x_embedder.2-1"]
            let name = (alias[stage] ?? stage) + ".output"
            guard golden.contains(name) else { return }
            compared += 1
            // Goldens of the embedders hold padding rows too.
            let expected = try golden.tensor(name)
            let rows = expected.rank == 2 ? expected.rows(0..<output.shape[0]) : expected
            let error = relativeError(output, rows)
            #expect(error <= Tolerance.stage, "\(checkpoint) \(name): \(error)")
        }
        #expect(compared >= 3 + transformer.configuration.layerCount)
        try expectMatch(output, golden, "transformer.velocity")
    }

    @Test(arguments: GoldenData.checkpoints) func captionLengths(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let transformer = try ZImageCheckpoint(folder: golden.folder).transformer
        let time = Float(try #require(golden.cases["transformer"]["time"].doubleValue))
        let features = try golden.tensor("transformer.captions.features")
        var lengths: [Int] = []
        for length in [0, 1, 31, 32, 33, 600] {
            let name = "transformer.captions.\(length).velocity"
            guard golden.contains(name) else { continue }
            lengths.append(length)
            let output = try velocity(
                transformer, golden, caption: features.rows(0..<length), time: time)
            try expectMatch(output, golden, name)
        }
        #expect(lengths.count >= 2, "\(checkpoint) lacks golden caption lengths: \(lengths)")
    }

    private func velocity(
        _ transformer: ZImageTransformer, _ golden: GoldenData, caption: Tensor, time: Float,
        onBlock: BlockObserver? = nil
    ) throws -> Tensor {
        let latents = try golden.tensor("transformer.latents")
        let grid = PatchGrid(rows: latents.shape[1] / 2, columns: latents.shape[2] / 2)
        let plan = SequencePlan(
            samples: [(grid, caption.shape[0])], configuration: transformer.configuration)
        let captions = try transformer.refineCaptions(
            caption, plan: plan, operations: operations, onBlock: onBlock)
        let rows = try transformer.velocity(
            patches: Patches.rows(of: latents, size: 2), captions: captions, times: [time],
            plan: plan, operations: operations, onBlock: onBlock)
        return Patches.image(
            from: rows, grid: grid, size: 2, channels: transformer.configuration.latentChannels)
    }

    @Test(arguments: GoldenData.checkpoints) func rotaryTables(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let transformer = try ZImageCheckpoint(folder: golden.folder).transformer
        let latents = try golden.tensor("transformer.latents")
        let grid = PatchGrid(rows: latents.shape[1] / 2, columns: latents.shape[2] / 2)
        let length = try golden.tensor("transformer.caption").shape[0]
        let plan = SequencePlan(
            samples: [(grid, length)], configuration: transformer.configuration)
        for (name, table) in [("image", plan.imageRotary), ("caption", plan.captionRotary)] {
            for (part, actual) in [("cosines", table.cosines), ("sines", table.sines)] {
                let expected = try golden.tensor("transformer.rope.\(name).\(part)")
                let error = relativeError(actual, expected.rows(0..<actual.shape[0]))
                #expect(error <= 2e-7, "\(checkpoint) \(name) \(part): \(error)")
            }
        }
    }

    @Test(arguments: GoldenData.checkpoints) func decoder(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let autoencoder = try ZImageCheckpoint(folder: golden.folder).autoencoder
        let latents = autoencoder.denormalize(
            try golden.tensor("vae.decode.latents"), operations: operations)
        try expectMatch(latents, golden, "vae.decode.scaled_latents")
        var compared = 0
        let image = try autoencoder.decode(latents, operations: operations) { stage, output in
            guard golden.contains(stage + ".output") else { return }
            compared += 1
            try expectMatch(output, golden, stage + ".output")
        }
        #expect(compared >= 2 + autoencoder.configuration.levelChannels.count)
        try expectMatch(image, golden, "vae.decode.image")
    }

    @Test(arguments: GoldenData.checkpoints) func encoder(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let autoencoder = try ZImageCheckpoint(folder: golden.folder).autoencoder
        var compared = 0
        let moments = try autoencoder.encode(
            try golden.tensor("vae.encode.image"), operations: operations
        ) { stage, output in
            guard golden.contains(stage + ".output") else { return }
            compared += 1
            try expectMatch(output, golden, stage + ".output")
        }
        #expect(compared >= 2 + autoencoder.configuration.levelChannels.count)
        try expectMatch(moments, golden, "vae.encode.moments")
    }

    @Test(arguments: GoldenData.checkpoints) func schedule(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        let configuration = try ZImageCheckpoint(folder: golden.folder).scheduleConfiguration
        let autoencoder = try ZImageCheckpoint(folder: golden.folder).autoencoder.configuration
        let names = golden.names.filter { $0.hasPrefix("schedule.") && $0.hasSuffix(".sigmas") }
        #expect(names.count >= 10)
        for name in names {
            // schedule.<W>x<H>.steps<n>.sigmas
            let parts = name.split(separator: ".")
            let size = parts[1].split(separator: "x").compactMap { Int($0) }
            let steps = try #require(Int(parts[2].dropFirst(5)))
            let schedule = FlowMatchSchedule(
                stepCount: steps,
                imageTokenCount: size.map { $0 / autoencoder.scale / 2 }.reduce(1, *),
                configuration: configuration)
            let expected = try golden.tensor(name).elements
            let error = relativeError(schedule.sigmas, expected)
            #expect(error <= Tolerance.schedule, "\(checkpoint) \(name): \(error)")
            let times = try golden.tensor(name.replacing(".sigmas", with: ".timesteps")).elements
            #expect(relativeError(schedule.timesteps, times) <= Tolerance.schedule)
        }
    }
}
