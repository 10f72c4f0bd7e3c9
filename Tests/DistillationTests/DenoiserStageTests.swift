// Teacher and student on a tiny checkpoint: what is learnt, what is exported, what each loss says
// when student and teacher are the same.
import Autodiff
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing
import ZImageModel

@testable import Distillation

@Suite struct DenoiserStageTests {
    @Test func `the teacher learns, and its export is the model that was trained`() throws {
        let tiny = try TinyDenoising()
        let team = ComputeTeam(threadCount: 2)
        let recipe = try tiny.teacher(steps: 150)
        let stage = try TeacherStage(
            recipe, data: tiny.data, base: TinyDenoising.base, team: team)
        let run = try TrainingRun(
            stage, recipe.run, recipe: "r", folder: tiny.folder + "/run", team: team)
        var losses: [Double] = []
        #expect(
            try run.run { progress in
                losses.append(progress.loss)
                return true
            })
        let (start, end) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
        #expect(end < 0.85 * start, "\(start) \(end)")
        let output = tiny.folder + "/model"
        try run.export(to: output)
        // The engine opens it: every tensor and configuration is there, and they agree.
        let checkpoint = try ZImageCheckpoint(folder: output)
        #expect(checkpoint.weightFormat == "bfloat16")
        let evaluation = try Evaluation(folder: output, data: tiny.data, groups: [], team: team)
        let plan = SamplingPlan(steps: 2, guidance: 1)
        let result = try evaluation.run(plan, seed: 3, limit: 4, teacher: (output, plan))
        #expect(result.report.concepts == 4 && result.report.searched == 5)
        #expect(result.report.english.captions == 4 && result.report.chinese == nil)
        #expect(result.report.evaluationsAnImage == 4)
        // A model is at no distance from itself.
        #expect(result.report.teacher?.descriptorDistance == 0)
        #expect((result.report.teacher?.peakSignalToNoise ?? 0) > 100)
        #expect(result.sheet.count == 8 && result.combinations == nil)
    }

    @Test func `every parameter of the denoiser is reached, but the text encoder's last layer`()
        throws
    {
        let tiny = try TinyDenoising()
        let team = ComputeTeam(threadCount: 1)
        let stage = try TeacherStage(
            tiny.teacher(steps: 60), data: tiny.data, base: TinyDenoising.base, team: team)
        // The final projection begins at zero, which holds gradients back: a little of it is set.
        let projection = stage.parameters["transformer.all_final_layer.2-1.linear.weight"]
        for i in 0..<projection.count { projection.floats[i] = 0.01 * Float(i % 7 - 3) }
        let recorder = RecordingOperations(team.whole, parameters: stage.parameters.all)
        let piece = try stage.pieces(step: 0)[0]
        _ = try stage.backward(piece, step: 0, share: 1, through: recorder)
        for name in stage.parameters.names {
            let isUnused =
                name.hasPrefix("text_encoder.layers.2.") || name == "text_encoder.norm.weight"
            #expect((recorder.gradients[stage.parameters[name]] == nil) == isUnused, "\(name)")
        }
    }

    @Test func `pieces follow from seed and step`() throws {
        let tiny = try TinyDenoising()
        let stage = try TeacherStage(
            tiny.teacher(steps: 60), data: tiny.data, base: TinyDenoising.base,
            team: ComputeTeam(threadCount: 1))
        let (first, again, next) = (
            try stage.pieces(step: 7), try stage.pieces(step: 7), try stage.pieces(step: 8)
        )
        #expect(first.map(\.places) == again.map(\.places))
        #expect(first.map(\.sigmas) == again.map(\.sigmas))
        #expect(first[0].noise.elements == again[0].noise.elements)
        #expect(first[0].noise.elements != next[0].noise.elements)
        let drawn = try (0..<40).flatMap { try stage.pieces(step: $0).flatMap(\.places) }
        for round in stride(from: 0, to: drawn.count, by: 5) {
            #expect(Set(drawn[round..<round + 5]).count == 5, "all images are drawn, once a round")
        }
        #expect(drawn[0..<5] != drawn[5..<10] || drawn[5..<10] != drawn[10..<15])
    }

    @Test func `noise levels are spread over a batch as their distribution says`() {
        var random = TorchGenerator(seed: 1)
        let levels = NoiseLevels(evenShare: 0.25, shift: 1).draw(4000, &random)
        #expect(levels.allSatisfy { $0 > 0 && $0 < 1 })
        #expect(abs(levels.reduce(0, +) / 4000 - 0.5) < 1e-3)
        // Below 0.2: a fifth of the even ones, and Φ(ln 0.25) of the logit-normal ones.
        let low = Double(levels.count { $0 < 0.2 }) / 4000
        let expected: Double = 0.25 * 0.2 + 0.75 * 0.08284
        #expect(abs(low - expected) < 2e-3, "\(low)")
        // The order says nothing.
        let half = levels.prefix(2000).reduce(0, +) / 2000
        #expect(abs(half - 0.5) < 0.03)
        let noisier = NoiseLevels(evenShare: 0.25, shift: 3).draw(4000, &random)
        #expect(abs(Double(noisier.sorted()[2000]) - 0.75) < 2e-3)
        #expect(abs(NoiseLevels.normalQuantile(0.975) - 1.959964) < 1e-5)
    }

    /// Losses of a student that still is its teacher, or that was disturbed.
    private func firstLosses(
        _ tiny: TinyDenoising, _ recipe: DistillationRecipe, disturbed: Float = 0
    ) throws -> [String: Double] {
        let team = ComputeTeam(threadCount: 1)
        let stage = try DistillationStage(
            recipe, data: tiny.data, teacher: TinyDenoising.base, team: team)
        TinyDenoising.disturb(stage.parameters, by: disturbed)
        let recorder = RecordingOperations(team.whole, parameters: stage.parameters.all)
        let losses = try stage.backward(
            stage.pieces(step: 0)[0], step: 0, share: 1, through: recorder)
        return Dictionary(uniqueKeysWithValues: zip(stage.lossNames, losses))
    }

    @Test func `a student that is its teacher has nothing to learn without guidance`() throws {
        let tiny = try TinyDenoising()
        let losses = try firstLosses(tiny, tiny.student())
        for name in ["loss", "prediction", "trajectory", "features", "alignment"] {
            #expect(try #require(losses[name]) < 1e-9, "\(name)")
        }
    }

    @Test func `guidance and long steps are what there is to learn`() throws {
        let tiny = try TinyDenoising()
        let guided = try firstLosses(tiny, tiny.student(["guidance": .integer(3)]))
        #expect(guided["prediction"]! > 1e-4)
        #expect(guided["features"]! < 1e-9, "hidden states are compared with caption")
        let long = try firstLosses(tiny, tiny.student(["substeps": .integer(4)]))
        #expect(long["prediction"]! < 1e-9)
        #expect(long["trajectory"]! > 1e-6)
    }

    @Test func `each part can be switched off`() throws {
        let tiny = try TinyDenoising(side: 32)
        let all: [String: JSONValue] = ["guidance": .integer(3), "substeps": .integer(2)]
        let whole = try firstLosses(tiny, tiny.student(all), disturbed: 0.1)
        for part in ["prediction", "trajectory", "features", "alignment"] {
            #expect(whole[part]! > 1e-5, "\(part)")
            let without = try firstLosses(
                tiny, tiny.student(all.merging(["loss": .object([part: .integer(0)])]) { $1 }),
                disturbed: 0.1)
            #expect(without["loss"]! < whole["loss"]! - 1e-6, "\(part)")
        }
        let even = try firstLosses(
            tiny, tiny.student(all.merging(["loss": .object(["subject": .integer(0)])]) { $1 }))
        // Without masks, attention to the caption tells patches apart.
        let change = abs(even["trajectory"]! / whole["trajectory"]! - 1)
        #expect(change > 1e-6 && change < 0.5, "\(change)")
    }

    @Test func `attention to the caption is the caption's part of the softmax`() throws {
        // Two samples of 32 patches and captions of 3 and 5 tokens, padded to 32.
        let lengths = [64, 64]
        let layout = AttentionLayout(
            headCount: 2, keyValueHeadCount: 2, headDimension: 8, isCausal: false,
            segments: Segments(lengths))
        var random = TorchGenerator(seed: 4)
        let (queries, keys) = (
            Tensor(random.normals(128 * 16), shape: [128, 16]),
            Tensor(random.normals(128 * 16), shape: [128, 16])
        )
        let probe = CaptionAttention(
            patchCount: 32, captionLengths: [3, 5],
            operations: ComputeTeam(threadCount: 1).whole)
        #expect(probe.gate(AttentionLayerIndex(.noiseRefiner, 0)) == nil)
        let gate = try #require(probe.gate(AttentionLayerIndex(.main, 0)))
        gate.observe(queries: queries, keys: keys, layout: layout)
        for (sample, length) in [3, 5].enumerated() {
            let expected = (0..<32).map { patch in
                (0..<2).reduce(0.0) { sum, head in
                    let weights = (0..<64).map { token in
                        let product = (0..<8).reduce(0.0) {
                            let query = (sample * 64 + patch) * 16 + head * 8 + $1
                            let key = (sample * 64 + token) * 16 + head * 8 + $1
                            return $0 + Double(queries.floats[query] * keys.floats[key])
                        }
                        return exp(product / 8.0.squareRoot())
                    }
                    return sum + weights[32..<32 + length].reduce(0, +) / weights.reduce(0, +)
                }
            }
            let (low, high) = (expected.min()!, expected.max()!)
            for (share, sum) in zip(probe.shares[sample], expected) {
                #expect(abs(Double(share) - (sum - low) / (high - low)) < 1e-4)
            }
        }
        withExtendedLifetime((queries, keys)) {}
    }

    @Test func `long steps come before short ones`() throws {
        let tiny = try TinyDenoising()
        let steps: JSONValue = .array([.string("8"), .string("4")])
        let progressive = try tiny.student(["student_steps": steps])
        #expect(progressive.stepCounts(at: 0) == [4])
        #expect(progressive.stepCounts(at: 0.9) == [4, 8])
        let plain = try tiny.student(["student_steps": steps, "progressive": .bool(false)])
        #expect(plain.stepCounts(at: 0) == [4, 8])
    }

    /// The message of a teacher's stage, or of a student's, that cannot be made.
    private func refusal(_ make: () throws -> Void) -> String {
        do {
            try make()
            return "made"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a teacher of another kind is refused`() throws {
        let tiny = try TinyDenoising()
        let folder = tiny.folder + "/teacher"
        func refused() throws -> String {
            refusal {
                _ = try DistillationStage(
                    tiny.student(), data: tiny.data, teacher: folder,
                    team: ComputeTeam(threadCount: 1))
            }
        }
        #expect(try refused().contains("has no model_index.json"))
        for (file, old, new, said) in [
            ("model_index.json", "ZImagePipeline", "FluxPipeline", "is \"FluxPipeline\""),
            (
                "transformer/config.json", "ZImageTransformer2DModel", "FluxTransformer2DModel",
                "is \"FluxTransformer2DModel\""
            ),
            ("text_encoder/config.json", "\"qwen3\"", "\"gemma2\"", "is \"gemma2\""),
            (
                "scheduler/scheduler_config.json", "FlowMatchEulerDiscreteScheduler",
                "DDIMScheduler", "is \"DDIMScheduler\""
            ),
        ] {
            try? FileManager.default.removeItem(atPath: folder)
            try FileManager.default.copyItem(atPath: TinyDenoising.base, toPath: folder)
            let url = URL(fileURLWithPath: "\(folder)/\(file)")
            let text = try String(contentsOf: url, encoding: .utf8)
            #expect(text.contains(old), "\(file)")
            try text.replacing(old, with: new).write(to: url, atomically: true, encoding: .utf8)
            let message = try refused()
            #expect(message.contains(said) && message.contains(file), "\(message)")
        }
    }

    @Test func `models, images and captions that do not fit are named`() throws {
        func refused(_ tiny: TinyDenoising, _ change: (inout TeacherRecipe) -> Void) -> String {
            refusal {
                var recipe = try tiny.teacher(steps: 60)
                change(&recipe)
                _ = try TeacherStage(
                    recipe, data: tiny.data, base: TinyDenoising.base,
                    team: ComputeTeam(threadCount: 1))
            }
        }
        let tiny = try TinyDenoising()
        for (key, value, said) in [
            ("in_channels", JSONValue.integer(8), "in_channels\": is 8, but the VAE"),
            ("cap_feat_dim", .integer(96), "is 96, but the text encoder has width"),
            ("axes_lens", .array([.integer(32), .integer(32), .integer(32)]), "axes_lens"),
        ] {
            let message = refused(tiny) { $0.transformer = $0.transformer.setting(key, value) }
            #expect(message.contains(said), "\(message)")
        }
        let small = refused(tiny) { $0.text = $0.text.setting("vocab_size", .integer(300)) }
        #expect(small.contains("vocab_size\": is 300, but the tokenizer has"), "\(small)")
        let group = refused(tiny) { $0.groups = ["Fruit"] }
        #expect(group.contains("\"Fruit\" is no group of"), "\(group)")
        let odd = refused(try TinyDenoising(side: 18)) { _ in }
        #expect(odd.contains("its images are 18x18, not multiples of"), "\(odd)")
        let long = refused(
            try TinyDenoising(caption: String(repeating: "7", count: 600))
        ) { _ in }
        #expect(long.contains("metadata.jsonl, line 1: a caption has 6"), "\(long)")
    }
}
