// The parts of the student's loss and their gradients.
import TensorCore

/// Adds up the parts for one piece.
struct VelocityLoss {
    private let recipe: DistillationRecipe
    /// By sample: weights of its patches, 1 on average.
    private let weights: [[Float]]
    private let share: Float
    private(set) var gradient = Tensor(zeros: [0])
    private var prediction = 0.0
    private var trajectory = 0.0
    private var features = 0.0
    private var alignment = 0.0

    init(_ recipe: DistillationRecipe, weights: [[Float]], share: Float) {
        self.recipe = recipe
        self.weights = weights
        self.share = share
    }

    /// In the order of the stage's loss names.
    var values: [Double] {
        let total =
            prediction * Double(recipe.prediction) + trajectory * Double(recipe.trajectory)
            + features * Double(recipe.features) + alignment * Double(recipe.alignment)
        return [total, prediction, trajectory, features, alignment]
    }

    /// Weighted squared differences from the teacher's velocities.
    mutating func add(_ velocity: Tensor, prediction first: Tensor, trajectory mean: Tensor) {
        let result = Tensor(uninitialized: velocity.shape)
        let width = velocity.shape[1]
        let flat = weights.flatMap { $0 }
        let count = Float(velocity.count)
        for row in 0..<velocity.shape[0] {
            let factor = 2 * flat[row] * share / count
            for i in row * width..<(row + 1) * width {
                let toFirst = velocity.floats[i] - first.floats[i]
                let toMean = velocity.floats[i] - mean.floats[i]
                prediction += Double(flat[row] * toFirst * toFirst / count)
                trajectory += Double(flat[row] * toMean * toMean / count)
                result.floats[i] =
                    factor * (recipe.prediction * toFirst + recipe.trajectory * toMean)
            }
        }
        withExtendedLifetime((velocity, first, mean)) {}
        gradient = result
    }

    /// Squared difference of hidden states relative to the teacher's mean square. The teacher's may
    /// hold more rows, of the samples without caption.
    mutating func addFeatures(_ own: Tensor, _ other: Tensor, count: Int) -> Tensor {
        let (value, gradient) = relativeDifference(
            own, other.rows(0..<own.shape[0]), factor: recipe.features * share / Float(count))
        features += value / Double(count)
        return gradient
    }

    mutating func addAlignment(
        _ own: Tensor, _ other: Tensor, layers: Int, samples: Int
    ) -> Tensor {
        let (value, gradient) = relativeDifference(
            own, other, factor: recipe.alignment * share / Float(layers * samples))
        alignment += value / Double(layers * samples)
        return gradient
    }

    /// Σ(a − b)² / Σb², and its gradient with respect to a times a factor.
    private func relativeDifference(
        _ a: Tensor, _ b: Tensor, factor: Float
    ) -> (value: Double, gradient: Tensor) {
        let gradient = Tensor(uninitialized: a.shape)
        let scale = Float(sumOfSquares(b)) + 1e-6
        var sum = 0.0
        for i in 0..<a.count {
            let difference = a.floats[i] - b.floats[i]
            sum += Double(difference * difference)
            gradient.floats[i] = 2 * difference * factor / scale
        }
        withExtendedLifetime((a, b)) {}
        return (sum / Double(scale), gradient)
    }
}
