// How learning rates rise and fall, and Muon on kernels of convolutions.
import TensorCore
import Testing

@testable import Autodiff

@Suite struct LearningRateTests {
    @Test func `a rise, then a cosine over the rest`() {
        let schedule = LearningRateSchedule(warmUpSteps: 10, totalSteps: 110, floor: 0.1)
        #expect(schedule.factor(at: 0) == 0.1)
        #expect(schedule.factor(at: 9) == 1)
        #expect(schedule.factor(at: 10) == 1)
        #expect(abs(schedule.factor(at: 60) - 0.55) < 1e-6)
        #expect(abs(schedule.factor(at: 110) - 0.1) < 1e-6)
        #expect(abs(schedule.factor(at: 500) - 0.1) < 1e-6)
    }

    @Test func `a short fall leaves what is before it to runs of any length`() {
        func schedule(_ steps: Int) -> LearningRateSchedule {
            LearningRateSchedule(warmUpSteps: 10, totalSteps: steps, floor: 0, decaySteps: 40)
        }
        for step in 0..<60 {
            #expect(schedule(100).factor(at: step) == schedule(1000).factor(at: step))
        }
        #expect(schedule(100).factor(at: 60) == 1)
        #expect(abs(schedule(100).factor(at: 80) - 0.5) < 1e-6)
        #expect(schedule(100).factor(at: 100) < 1e-6)
    }
}

@Suite struct MuonTests {
    /// Its first step is the orthogonalised gradient: rows of a kernel's matrix become nearly
    /// orthonormal, whatever the gradient's scale.
    @Test func `a step on a convolution's kernels is orthogonal as a matrix`() throws {
        let team = ComputeTeam(threadCount: 1)
        let shape = [4, 3, 3, 3]
        let store = ParameterStore { _, shape in Tensor(zeros: shape) }
        let kernel = try store.tensor("kernel", shape)
        var settings = OptimizerSettings()
        settings.matrixRate = 1
        settings.gradientLimit = 0
        let optimizer = Optimizer(store, settings, isMatrix: { _ in true })
        var random = TorchGenerator(seed: 3)
        let gradient = Tensor(random.normals(108).map { 1e-3 * $0 }, shape: shape)
        optimizer.step(["kernel": gradient], norm: 1, schedule: 1, team)
        for i in 0..<4 {
            for j in 0...i {
                let product = (0..<27).reduce(Float(0)) {
                    $0 + kernel.floats[i * 27 + $1] * kernel.floats[j * 27 + $1]
                }
                // Five steps bring singular values to between 0.7 and 1.2.
                let expected: ClosedRange<Float> = i == j ? 0.4...1.5 : -0.4...0.4
                #expect(expected.contains(product), "\(i) \(j) \(product)")
            }
        }
        withExtendedLifetime(kernel) {}
    }
}
