// First values of parameters, by name and shape.
import Foundation
import TensorCore

/// Draws each parameter from a generator of its own, which its name seeds: the order in which
/// layers ask does not matter.
struct ParameterInitialization {
    let seed: UInt64

    /// Uniform within ±gain/√inputs; 1 is the gain of PyTorch's `Linear` and `Conv2d`, √3 keeps the
    /// variance of what goes through.
    func uniform(_ name: String, _ shape: [Int], gain: Float = 1) -> Tensor {
        let inputs = shape.dropFirst().reduce(1, *)
        let bound = gain / Float(inputs).squareRoot()
        var generator = generator(name)
        let values = (0..<shape.reduce(1, *)).map { _ in
            (2 * generator.nextUniform() - 1) * bound
        }
        return Tensor(values, shape: shape)
    }

    /// Normal with a standard deviation.
    func normal(_ name: String, _ shape: [Int], deviation: Float) -> Tensor {
        var generator = generator(name)
        let values = generator.normals(shape.reduce(1, *)).map { $0 * deviation }
        return Tensor(values, shape: shape)
    }

    func constant(_ value: Float, _ shape: [Int]) -> Tensor {
        Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
    }

    private func generator(_ name: String) -> TorchGenerator {
        // FNV-1a over the name.
        var hash = 0xcbf2_9ce4_8422_2325 ^ seed
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return TorchGenerator(seed: hash ^ (hash >> 32))
    }
}
