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
        _ options: PruningOptions?, steps: Int = 8, replacement: HeadPruner.Replacement = .mean
    ) throws -> (latents: [Float], report: PruningReport?) {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 2)
        var request = GenerationRequest(
            prompt: "red heart", width: 128, height: 128, stepCount: steps, guidance: 0, seed: 42)
        request.pruning = options
        let denoising = try Denoising(
            model: generator.model, operations: generator.operations, request: request,
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
        func threshold(_ criterion: PruningOptions.Criterion) -> Float {
            HeadPruner.threshold(criterion, entropies: entropies)
        }
        #expect(threshold(.threshold(0.1)) == 0.1)
        #expect(threshold(.share(0.4)) == 1)
        #expect(threshold(.share(1)) == 4)
        #expect(threshold(.share(0)) == -.infinity)
    }

    /// Skipping heads equals running all of them and exchanging the idle ones' outputs.
    @Test func skippedHeadsEqualReplacedOnes() throws {
        let golden = try GoldenData(checkpoint: "a-f32-single")
        let operations = EagerOperations(pool: ThreadPool(threadCount: 2))
        let weight = try golden.tensor("transformer.captions.features").rows(0..<12)
        // Three heads of four inputs; head 1 is idle with the mean (1, 2, 3, 4).
        var random = TorchGenerator(seed: 1)
        let x = Tensor(random.normals(5 * 12), shape: [5, 12])
        let projection = operations.columns(weight, 0..<12)
        let replaced = Tensor(x.elements, shape: x.shape)
        for row in 0..<5 {
            for i in 0..<4 { replaced.floats[row * 12 + 4 + i] = Float(i + 1) }
        }
        let expected = operations.linear(replaced, weight: projection)
        let kept = BlockSelection(blockSize: 4, kept: [0, 2])
        let idle = BlockSelection(blockSize: 4, kept: [1])
        let packed = Tensor(uninitialized: [5, 8])
        for row in 0..<5 {
            for i in 0..<8 {
                packed.floats[row * 8 + i] = x.floats[row * 12 + (i < 4 ? i : i + 4)]
            }
        }
        let constant = operations.linear(
            Tensor([1, 2, 3, 4], shape: [1, 4]), weight: projection, bias: nil, keptOutputs: nil,
            keptInputs: idle)
        let actual = operations.linear(
            packed, weight: projection, bias: constant.reshaped([12]), keptOutputs: nil,
            keptInputs: kept)
        #expect(relativeError(actual, expected) <= Tolerance.operation)
        let selected = operations.linear(
            x, weight: projection, bias: nil, keptOutputs: kept, keptInputs: nil)
        let all = operations.linear(x, weight: projection)
        for row in 0..<5 {
            for i in 0..<8 {
                let whole = all.floats[row * 12 + (i < 4 ? i : i + 4)]
                #expect(abs(selected.floats[row * 8 + i] - whole) <= 1e-6)
            }
        }
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
        let idleContribution: Tensor? = nil
        let isMeasuring = true

        init(_ recorder: EntropyRecorder, _ index: AttentionLayerIndex) {
            self.recorder = recorder
            self.index = index
        }

        func observe(
            entropies: [Float], headOutputs: Tensor, outputProjection: Linear, headDimension: Int
        ) {
            recorder.entropies[index] = entropies
        }
    }
}
