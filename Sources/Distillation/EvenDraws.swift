// Draws that are spread evenly, so that steps differ less from each other than independent draws
// would make them.
import Glibc
import TensorCore

/// Goes over items in rounds: each once a round, in an order of the round's own.
struct ShuffledRounds {
    let count: Int
    let seed: UInt64

    /// Items number `start`, `start` + 1, … of all that are ever drawn.
    func items(from start: Int, count drawn: Int) -> [Int] {
        var items: [Int] = []
        var (round, order) = (-1, [Int]())
        for position in start..<start + drawn {
            if position / count != round {
                round = position / count
                order = shuffled(round)
            }
            items.append(order[position % count])
        }
        return items
    }

    private func shuffled(_ round: Int) -> [Int] {
        var random = generator(seed: seed, step: round, use: 1)
        var order = Array(0..<count)
        random.shuffle(&order)
        return order
    }
}

/// Noise levels of a batch, one from each of equally likely parts of their distribution
/// (stratified, as in Kingma et al. 2021): logit-normal, a share of them even.
struct NoiseLevels {
    /// Share of levels drawn evenly from 0 to 1.
    let evenShare: Double
    /// Levels u become s u / (1 + (s − 1) u): more noise for s > 1.
    let shift: Float

    /// `count` levels in random order, each above 0 and below 1.
    func draw(_ count: Int, _ random: inout TorchGenerator) -> [Float] {
        var levels = (0..<count).map { index in
            level((Double(index) + Double(random.nextUniform())) / Double(count))
        }
        random.shuffle(&levels)
        return levels
    }

    /// The level at a place 0…1 of the distribution.
    private func level(_ place: Double) -> Float {
        let isEven = place < evenShare
        let rest =
            isEven ? place / evenShare : (place - evenShare) / max(1 - evenShare, 1e-9)
        let u = isEven ? rest : 1 / (1 + exp(-Self.normalQuantile(rest)))
        let bounded = Float(min(max(u, 1e-4), 1 - 1e-4))
        return shift * bounded / (1 + (shift - 1) * bounded)
    }

    /// x with Φ(x) = p, by bisection; within ±8.
    static func normalQuantile(_ p: Double) -> Double {
        var (low, high) = (-8.0, 8.0)
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
