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

/// Images of 16 × 16 or another size with captions, and the golden checkpoint `a` as base and
/// teacher.
private final class TinyDenoising {
    static let base = Repository.path("Tests/Golden/a-f32-single")
    let folder = TemporaryFiles.path("denoising")
    let data: ImageFolder
    private let draft: DataSetDraft

    init(side: Int = 16) throws {
        draft = try DataSetDraft()
        for index in 0..<5 {
            let level = UInt8(index * 40)
            try draft.addImage(
                "images/\(index).png", color: (200 - level, level, 30), width: side,
                height: side)
            draft.lines.append(
                #"{"file_name": "images/\#(index).png", "text": "picture \#(index)"}"#)
        }
        data = try ImageFolder(path: try draft.finish())
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func recipe(_ fields: [String: JSONValue]) throws -> RecipeObject {
        let path = "\(folder)/recipe.json"
        try JSONEncoder().encode(JSONValue.object(fields)).write(to: URL(fileURLWithPath: path))
        return try RecipeObject(path: path)
    }

    static func component(_ name: String) throws -> JSONValue {
        .object(try Configuration(path: "\(base)/\(name)").fields)
    }

    static let common: [String: JSONValue] = [
        "batch": .integer(4), "piece": .integer(2), "log_every": .integer(1000),
        "checkpoint_every": .integer(1000), "sample_every": .integer(1000),
    ]

    func teacher(steps: Int) throws -> TeacherRecipe {
        var fields = Self.common
        fields["stage"] = .string("teacher")
        fields["steps"] = .integer(steps)
        fields["optimizer"] = .object([
            "rate": .number(2e-3), "matrix_rate": .number(2e-3), "warm_up": .integer(5),
            "average_decay": .number(0.9),
        ])
        fields["text_encoder"] = try Self.component("text_encoder/config.json")
        fields["transformer"] = try Self.component("transformer/config.json")
        fields["scheduler"] = try Self.component("scheduler/scheduler_config.json")
        return try TeacherRecipe(recipe(fields))
    }

    func student(_ changes: [String: JSONValue] = [:]) throws -> DistillationRecipe {
        var fields = Self.common
        fields["stage"] = .string("distill")
        fields["steps"] = .integer(3)
        fields["optimizer"] = .object(["warm_up": .integer(1)])
        fields["guidance"] = .integer(0)
        fields["student_steps"] = .array([.string("2")])
        fields["substeps"] = .integer(1)
        fields["alignment_share"] = .integer(1)
        fields.merge(changes) { $1 }
        return try DistillationRecipe(recipe(fields))
    }
}

@Suite struct DenoiserStageTests {
    @Test func `the teacher learns, and its export is the model that was trained`() throws {
        let tiny = try TinyDenoising()
        let team = ComputeTeam(threadCount: 2)
        let recipe = try tiny.teacher(steps: 150)
        let stage = try TeacherStage(
            recipe, data: tiny.data, base: TinyDenoising.base, team: team)
        #expect(stage.conceptCount == 5)
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
        #expect(result.sheet.count == 8)
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

    /// Losses of a student that still is its teacher.
    private func firstLosses(
        _ tiny: TinyDenoising, _ recipe: DistillationRecipe
    ) throws -> [String: Double] {
        let team = ComputeTeam(threadCount: 1)
        let stage = try DistillationStage(
            recipe, data: tiny.data, teacher: TinyDenoising.base, team: team)
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
        let whole = try firstLosses(tiny, tiny.student(all))
        for part in ["prediction", "trajectory", "features", "alignment"] {
            let without = try firstLosses(
                tiny, tiny.student(all.merging(["loss": .object([part: .integer(0)])]) { $1 }))
            #expect(without["loss"]! < whole["loss"]! || whole[part]! < 1e-9, "\(part)")
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

    @Test func `a teacher of another kind is refused`() throws {
        let tiny = try TinyDenoising()
        let error = #expect(throws: CheckpointError.self) {
            _ = try DistillationStage(
                tiny.student(), data: tiny.data, teacher: tiny.folder,
                team: ComputeTeam(threadCount: 1))
        }
        #expect(error?.code == .missingFile)
        #expect(throws: (any Error).self) {
            // Its autoencoder has other latents than the recipe's transformer.
            _ = try TeacherStage(
                tiny.teacher(steps: 1), data: tiny.data,
                base: Repository.path("Tests/Golden/b-bf16-sharded"),
                team: ComputeTeam(threadCount: 1))
        }
    }
}
