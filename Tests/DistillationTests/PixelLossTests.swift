// The reconstruction loss and what stands between encoder and decoder, by central differences.
import Autodiff
import TensorCore
import Testing

@testable import Distillation

@Suite struct PixelLossTests {
    private func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
        var generator = TorchGenerator(seed: seed)
        return Tensor(generator.normals(shape.reduce(1, *)), shape: shape)
    }

    private func moved(_ x: Tensor, _ direction: Tensor, _ step: Float) -> Tensor {
        let elements = zip(x.elements, direction.elements).map { $0 + step * $1 }
        return Tensor(elements, shape: x.shape)
    }

    private func dot(_ a: Tensor, _ b: Tensor) -> Double {
        zip(a.elements, b.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// Each part alone, so that none hides behind another.
    @Test(arguments: 0..<6) func gradient(_ part: Int) {
        var loss = PixelLoss(absolute: 0, squared: 0, pyramid: 0, edges: 0, chroma: 0)
        switch part {
        case 0: loss.absolute = 1
        case 1: loss.squared = 1
        case 2: loss.pyramid = 1
        case 3: loss.edges = 1
        case 4: loss.chroma = 1
        default: loss = PixelLoss()
        }
        let (image, target) = (random([3, 16, 24], 1), random([3, 16, 24], 2))
        let gradient = loss(image, target).gradient
        for seed in 3..<6 as Range<UInt64> {
            let direction = random(image.shape, seed)
            let step: Float = 1e-4
            let difference =
                loss(moved(image, direction, step), target).values[0]
                - loss(moved(image, direction, -step), target).values[0]
            let expected = difference / Double(2 * step)
            let actual = dot(gradient, direction)
            // Corners of absolute values that a step crosses count for a little.
            let scale = dot(gradient, gradient).squareRoot() + 1e-3
            #expect(abs(actual - expected) <= 0.02 * scale, "\(actual) \(expected)")
        }
    }

    @Test func `equal images have no loss`() {
        let image = random([3, 16, 16], 1)
        #expect(PixelLoss()(image, image).values == [0, 0, 0, 0, 0, 0])
    }

    @Test func `divergence and sampling`() {
        let eager = EagerOperations(pool: ThreadPool(threadCount: 1))
        let (moments, noise) = (random([4, 4, 6], 1), random([2, 4, 6], 2))
        let weights = random([2, 2, 3], 3)
        func value(_ moments: Tensor) -> Double {
            let recorder = RecordingOperations(eager, parameters: [])
            let z = recorder.pooled(recorder.sampledLatents(moments, noise: noise))
            return dot(z, weights) + latentDivergence(moments).value
        }
        let recorder = RecordingOperations(eager, parameters: [moments])
        let z = recorder.pooled(recorder.sampledLatents(moments, noise: noise))
        recorder.backward(from: [(z, weights), (moments, latentDivergence(moments).gradient)])
        let gradient = recorder.gradients[moments]!
        for seed in 4..<8 as Range<UInt64> {
            let direction = random(moments.shape, seed)
            let step: Float = 1e-3
            let expected =
                (value(moved(moments, direction, step)) - value(moved(moments, direction, -step)))
                / Double(2 * step)
            #expect(abs(expected - dot(gradient, direction)) < 2e-2)
        }
    }

    @Test func `peak signal to noise`() {
        let black = Tensor([Float](repeating: -1, count: 12), shape: [3, 2, 2])
        let grey = Tensor([Float](repeating: -0.8, count: 12), shape: [3, 2, 2])
        // A tenth of the range: 20 dB.
        #expect(abs(peakSignalToNoise(grey, black) - 20) < 1e-4)
    }
}
