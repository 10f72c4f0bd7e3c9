// What happens between the autoencoder's halves in training.
import Autodiff
import Glibc
import TensorCore
import ZImageModel

extension RecordingOperations {
    /// z = mean + exp(log variance / 2) · noise.
    ///
    /// - Parameters:
    ///   - moments: [2 · channels, height, width], means then log variances
    ///   - noise: [channels, height, width]
    func sampledLatents(_ moments: Tensor, noise: Tensor) -> Tensor {
        let count = noise.count
        let z = Tensor(uninitialized: noise.shape)
        for i in 0..<count {
            z.floats[i] = moments.floats[i] + deviation(moments, i + count) * noise.floats[i]
        }
        record(z, of: [moments]) { _, dz, gradients in
            guard let target = gradients.target(moments) else { return }
            let sums = target.tensor.floats
            if !target.adds { sums.update(repeating: 0, count: 2 * count) }
            for i in 0..<count {
                sums[i] += dz.floats[i]
                sums[i + count] +=
                    dz.floats[i] * noise.floats[i] * 0.5 * deviation(moments, i + count)
            }
            withExtendedLifetime((dz, target)) {}
        }
        return z
    }

    /// `Patches.image`, recorded.
    func image(from rows: Tensor, grid: PatchGrid, size: Int, channels: Int) -> Tensor {
        let image = Patches.image(from: rows, grid: grid, size: size, channels: channels)
        record(image, of: [rows]) { eager, gradient, gradients in
            guard let target = gradients.target(rows) else { return }
            eager.scaledGradient(Patches.rows(of: gradient, size: size), x: target)
        }
        return image
    }

    /// The mean of each 2 × 2 block of cells.
    func pooled(_ x: Tensor) -> Tensor {
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let y = Tensor(
            PixelLoss.pooled(x.elements, height, width),
            shape: [channels, height / 2, width / 2])
        record(y, of: [x]) { eager, dy, gradients in
            guard let target = gradients.target(x) else { return }
            let spread = PixelLoss.doubled(dy.elements, height / 2, width / 2)
            eager.scaledGradient(
                Tensor(spread, shape: x.shape), factor: 0.25, x: target)
        }
        return y
    }
}

/// exp(half the log variance), bounded as in diffusers' `DiagonalGaussianDistribution`.
private func deviation(_ moments: Tensor, _ index: Int) -> Float {
    expf(0.5 * max(-30, min(20, moments.floats[index])))
}

/// The divergence of N(mean, variance) from N(0, 1), averaged over elements, and its gradient with
/// respect to the moments.
func latentDivergence(_ moments: Tensor) -> (value: Double, gradient: Tensor) {
    let count = moments.count / 2
    let gradient = Tensor(uninitialized: moments.shape)
    var sum = 0.0
    for i in 0..<count {
        let mean = moments.floats[i]
        let logVariance = max(-30, min(20, moments.floats[i + count]))
        let variance = expf(logVariance)
        sum += 0.5 * Double(mean * mean + variance - 1 - logVariance)
        gradient.floats[i] = mean / Float(count)
        gradient.floats[i + count] = 0.5 * (variance - 1) / Float(count)
    }
    withExtendedLifetime(moments) {}
    return (sum / Double(count), gradient)
}
