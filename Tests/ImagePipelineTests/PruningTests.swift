// Dynamic attention pruning.
import NeuralLayers
import TensorCore
import TestSupport
import Testing
import ZImageModel

@testable import ImagePipeline

@Suite struct PruningTests {
    /// Entropies that the pruner sees at the first step against the reference's, head by head.
    @Test(arguments: ["plain", "exact"]) func entropiesEqualTheReference(_ run: String) throws {
        let golden = try GoldenData(checkpoint: "a-f32-single")
        let generator = try ImageGenerator(modelFolder: golden.folder, threadCount: 2)
        let item = try #require(
            golden.cases["runs"].arrayValue?.first { $0["name"].stringValue == run })
        let request = try GoldenRun(item).request
        let recorder = EntropyRecorder()
        let transformer = generator.model.transformer
        let grid = PatchGrid(rows: request.height / 16, columns: request.width / 16)
        let features = try generator.encodePrompts(request)[0]
        let plan = SequencePlan(
            samples: [(grid, features.shape[0])], configuration: transformer.configuration)
        let noise = try golden.tensor("pipeline.\(run).0.noise")
        _ = try transformer.velocity(
            patches: Patches.rows(of: noise, size: 2),
            captions: try transformer.refineCaptions(
                features, plan: plan, operations: generator.operations),
            times: [0], plan: plan, operations: generator.operations,
            gates: { recorder.gate($0) })
        #expect(recorder.entropies.count == 4)
        for (index, entropies) in recorder.entropies {
            let name = "pipeline.\(run).0.entropy.\(index.stack.rawValue).\(index.layer)"
            let expected = try golden.tensor(name).elements
            for (actual, wanted) in zip(entropies, expected) {
                #expect(abs(actual - wanted) <= 1e-4 + 1e-4 * wanted, "\(name)")
            }
        }
    }

    private func run(
        _ options: PruningOptions?, steps: Int = 8, replacement: HeadPruner.Replacement = .reuse
    ) throws -> (latents: [Float], report: PruningReport?) {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 2)
        var request = GenerationRequest(
            prompt: "red heart", width: 128, height: 128, stepCount: steps, guidance: 0, seed: 42)
        request.pruning = options
        let denoising = try Denoising(
            generator: generator, request: request,
            conditioning: try generator.encodePrompts(request), seed: request.seed,
            resuming: nil, replacement: replacement)
        while !denoising.isFinished { try denoising.advance() }
        return (denoising.latents.elements, denoising.pruningReport)
    }

    @Test func withNothingToPruneTheResultIsTheSameBitByBit() throws {
        let without = try run(nil)
        #expect(without.report == nil)
        for criterion in [PruningOptions.Criterion.threshold(0), .share(0)] {
            let with = try run(PruningOptions(criterion: criterion))
            #expect(with.latents == without.latents)
            #expect(with.report?.attentionSaved == 0)
        }
    }

    @Test func aShareOfHeadsIsSkippedBetweenJudgements() throws {
        let (latents, report) = try run(
            PruningOptions(criterion: .share(0.37), judgingInterval: 4))
        let pruning = try #require(report)
        #expect(pruning.heads == 21)
        #expect(pruning.idleHeads == 8)  // 0.37 · 21 rounded
        // Six of eight steps are pruned; heads of the refiner count less than the others.
        #expect(pruning.attentionSaved > 0.2 && pruning.attentionSaved < 0.75 * 8 / 18)
        #expect(pruning.workSaved > 0.05 && pruning.workSaved < pruning.attentionSaved)
        let error = relativeError(latents, try run(nil).latents)
        #expect(error > 0 && error.isFinite)
    }

    @Test func everyHeadCanBeIdle() throws {
        let (latents, report) = try run(PruningOptions(criterion: .share(1)))
        #expect(report?.idleHeads == 21)
        #expect(latents.allSatisfy { $0.isFinite })
    }

    @Test func thresholdsComeFromTheRanking() {
        let entropies: [Float] = [3, 1, 2, 0.05, 4]
        func threshold(_ criterion: PruningOptions.Criterion, of count: Int = 5) -> Float {
            HeadPruner.threshold(criterion, entropies: entropies, headCount: count)
        }
        #expect(threshold(.threshold(0.1)) == 0.1)
        #expect(threshold(.share(0.4)) == 1)
        #expect(threshold(.share(1)) == 4)
        #expect(threshold(.share(0)) == -.infinity)
        // As long as fewer heads are measured than may be idle, each of them may.
        #expect(threshold(.share(0.4), of: 20) == .infinity)
    }

    /// Kept outputs of the same step stand for heads exactly, but for their rounding to bfloat16.
    @Test func reusedOutputsOfTheSameStepChangeLittle() throws {
        let golden = try GoldenData(checkpoint: "a-f32-single")
        let generator = try ImageGenerator(modelFolder: golden.folder, threadCount: 2)
        let transformer = generator.model.transformer
        let features = try golden.tensor("transformer.caption")
        let latents = try golden.tensor("transformer.latents")
        let plan = SequencePlan(
            samples: [(PatchGrid(rows: 3, columns: 5), features.shape[0])],
            configuration: transformer.configuration)
        let captions = try transformer.refineCaptions(
            features, plan: plan, operations: generator.operations)
        func velocity(_ pruner: HeadPruner, step: Int) throws -> Tensor {
            pruner.beginStep(step)
            defer { pruner.endStep() }
            return try transformer.velocity(
                patches: Patches.rows(of: latents, size: 2), captions: captions, times: [0.4],
                plan: plan, operations: generator.operations, gates: { pruner.gate($0) })
        }
        func error(_ replacement: HeadPruner.Replacement) throws -> Float {
            let pruner = HeadPruner(
                options: PruningOptions(criterion: .share(0.5)), transformer: transformer,
                operations: generator.operations, replacement: replacement)
            let full = try velocity(pruner, step: 0)
            let pruned = try velocity(pruner, step: 1)
            #expect(pruner.skippedHeadCount == 6)
            return relativeError(pruned, full)
        }
        #expect(try error(.reuse) < 0.01)
        #expect(try error(.zero) > 0.05)
    }

    @Test func blocksComeApartAndTogether() throws {
        let operations = EagerOperations(pool: ThreadPool(threadCount: 2))
        var random = TorchGenerator(seed: 1)
        let x = Tensor(random.normals(5 * 12), shape: [5, 12])
        let weight = Tensor(random.normals(7 * 12), shape: [7, 12])
        let kept = BlockSelection(blockSize: 4, kept: [0, 2])
        let rest = kept.complement(of: 3)
        #expect(rest.kept == [1])
        let (a, b) = (operations.selectBlocks(x, kept), operations.selectBlocks(x, rest))
        #expect(operations.mergeBlocks(a, kept, b, blockCount: 3).elements == x.elements)
        let apart = operations.add(
            operations.linear(a, weight: weight, bias: nil, keptOutputs: nil, keptInputs: kept),
            operations.linear(b, weight: weight, bias: nil, keptOutputs: nil, keptInputs: rest))
        let whole = operations.linear(x, weight: weight)
        #expect(relativeError(apart, whole) <= Tolerance.operation)
        let square = Tensor(random.normals(12 * 12), shape: [12, 12])
        let outputs = operations.linear(
            x, weight: square, bias: nil, keptOutputs: kept, keptInputs: nil)
        let expected = operations.selectBlocks(operations.linear(x, weight: square), kept)
        #expect(relativeError(outputs, expected) <= Tolerance.operation)
    }
}

/// Gates that let every head run and keep what was measured.
private final class EntropyRecorder {
    var entropies: [AttentionLayerIndex: [Float]] = [:]

    func gate(_ index: AttentionLayerIndex) -> any HeadGate { Gate(self, index) }

    private final class Gate: HeadGate {
        let recorder: EntropyRecorder
        let index: AttentionLayerIndex
        let activeHeads: [Int]? = nil
        let idleOutputs: Tensor? = nil
        let isMeasuring = true

        init(_ recorder: EntropyRecorder, _ index: AttentionLayerIndex) {
            self.recorder = recorder
            self.index = index
        }

        func observe(entropies: [Float], headOutputs: Tensor) {
            recorder.entropies[index] = entropies
        }
    }
}
