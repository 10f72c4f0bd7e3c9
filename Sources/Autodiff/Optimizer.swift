// The optimiser: AdamW for vectors and tables, Muon for the matrices of blocks, an average of the
// weights beside.
import CKernels
import TensorCore

/// How parameters are trained.
public struct OptimizerSettings: Sendable, Equatable {
    /// Learning rate of AdamW.
    public var rate: Float = 1e-3
    /// Learning rate of Muon's matrices; 0 leaves them to AdamW.
    public var matrixRate: Float = 0
    public var beta1: Float = 0.9
    public var beta2: Float = 0.99
    public var epsilon: Float = 1e-8
    /// Decoupled weight decay, of matrices alone.
    public var weightDecay: Float = 0
    /// Muon's momentum.
    public var momentum: Float = 0.95
    /// The largest norm of all gradients together; 0: no limit.
    public var gradientLimit: Float = 1
    /// The average's memory: it keeps this share of itself at each step, less in the beginning.
    public var averageDecay: Float = 0.999

    public init() {}
}

/// AdamW (Loshchilov & Hutter 2019), and Muon (Jordan et al. 2024) where `isMatrix` says so, with
/// an exponential average of the parameters.
public final class Optimizer {
    public let settings: OptimizerSettings
    public let parameters: ParameterStore
    /// The averaged parameters: what is kept as the model.
    public let average: ParameterStore
    /// Steps done.
    public private(set) var stepCount: Int
    private let isMatrix: (String) -> Bool
    /// By parameter: first and second moments; Muon has the first alone.
    private var first: [String: Tensor] = [:]
    private var second: [String: Tensor] = [:]

    /// - Parameter isMatrix: whether Muon takes a parameter of rank 2 or more; a convolution's
    ///   kernels are the matrix of its outputs
    public init(
        _ parameters: ParameterStore, _ settings: OptimizerSettings,
        isMatrix: @escaping (String) -> Bool
    ) {
        self.parameters = parameters
        self.settings = settings
        average = parameters.copy()
        stepCount = 0
        self.isMatrix = isMatrix
        for name in parameters.names {
            first[name] = Tensor(zeros: parameters[name].shape)
            if !usesMuon(name) { second[name] = Tensor(zeros: parameters[name].shape) }
        }
    }

    private func usesMuon(_ name: String) -> Bool {
        settings.matrixRate > 0 && parameters[name].rank >= 2 && isMatrix(name)
    }

    /// The norm of all gradients together.
    public static func norm(_ gradients: [String: Tensor], _ team: ComputeTeam) -> Float {
        let names = gradients.keys.sorted()
        var squares = [Double](repeating: 0, count: names.count)
        squares.withUnsafeMutableBufferPointer { squares in
            let base = squares.baseAddress!
            team.run(names.count) { index, _ in
                base[index] = sumOfSquares(gradients[names[index]]!)
            }
        }
        return Float(squares.reduce(0, +).squareRoot())
    }

    /// Takes one step.
    ///
    /// - Parameters:
    ///   - gradients: by name; parameters without one stay as they are
    ///   - norm: of all of them, which the limit applies to
    ///   - schedule: factor of the learning rates at this step
    public func step(
        _ gradients: [String: Tensor], norm: Float, schedule: Float, _ team: ComputeTeam
    ) {
        stepCount += 1
        let limit = settings.gradientLimit
        let factor = limit > 0 && norm > limit ? limit / norm : 1
        let names = parameters.names.filter { gradients[$0] != nil }
        let decay = min(
            settings.averageDecay, Float(1 + stepCount) / Float(10 + stepCount))
        let corrections = (power(settings.beta1), power(settings.beta2))
        team.run(names.count) { index, operations in
            let name = names[index]
            let (parameter, gradient) = (parameters[name], gradients[name]!)
            if factor != 1 {
                ck_scaled(
                    gradient.floats, factor, gradient.floats, Int64(gradient.count), 0)
            }
            if usesMuon(name) {
                muon(name, parameter, gradient, schedule, operations)
            } else {
                adamW(name, parameter, gradient, schedule, corrections)
            }
            ck_move_towards(
                average[name].floats, parameter.floats, 1 - decay, Int64(parameter.count))
        }
    }

    /// 1 − base^steps
    private func power(_ base: Float) -> Float {
        var result = 1.0
        for _ in 0..<min(stepCount, 100_000) { result *= Double(base) }
        return Float(1 - result)
    }

    private func adamW(
        _ name: String, _ parameter: Tensor, _ gradient: Tensor, _ schedule: Float,
        _ corrections: (Float, Float)
    ) {
        ck_adamw(
            parameter.floats, gradient.floats, first[name]!.floats, second[name]!.floats,
            Int64(parameter.count), settings.rate * schedule, settings.beta1, settings.beta2,
            settings.epsilon, parameter.rank >= 2 ? settings.weightDecay : 0,
            corrections.0, corrections.1)
    }

    /// Momentum, made orthogonal, is the step: every direction of a matrix moves alike.
    private func muon(
        _ name: String, _ parameter: Tensor, _ gradient: Tensor, _ schedule: Float,
        _ operations: EagerOperations
    ) {
        let momentum = first[name]!
        let count = Int64(gradient.count)
        // m = μ m + g; the step looks ahead: g + μ m (Nesterov).
        ck_scaled(momentum.floats, settings.momentum, momentum.floats, count, 0)
        ck_scaled(gradient.floats, 1, momentum.floats, count, 1)
        ck_scaled(momentum.floats, settings.momentum, gradient.floats, count, 1)
        let matrix = gradient.reshaped([gradient.shape[0], gradient.count / gradient.shape[0]])
        let step = orthogonalized(matrix, operations)
        let (rows, columns) = (Float(matrix.shape[0]), Float(matrix.shape[1]))
        let rate = settings.matrixRate * schedule * max(1, rows / columns).squareRoot()
        if settings.weightDecay > 0 {
            let keep = 1 - rate * settings.weightDecay
            ck_scaled(parameter.floats, keep, parameter.floats, count, 0)
        }
        ck_scaled(step.floats, -rate, parameter.floats, count, 1)
        withExtendedLifetime(step) {}
    }

    /// The nearest semi-orthogonal matrix, roughly: five Newton-Schulz steps with the quintic
    /// coefficients of Jordan et al.
    private func orthogonalized(_ matrix: Tensor, _ operations: EagerOperations) -> Tensor {
        let isTall = matrix.shape[0] > matrix.shape[1]
        var x = isTall ? operations.transposed(matrix) : matrix.copy()
        let norm = Float(sumOfSquares(x).squareRoot()) + 1e-7
        x = operations.affine(x, scale: 1 / norm, offset: 0)
        let (a, b, c): (Float, Float, Float) = (3.4445, -4.7750, 2.0315)
        for _ in 0..<5 {
            // A = x xᵀ; x = a x + (b A + c A A) x
            let gram = operations.linear(x, weight: x)
            let square = operations.linear(gram, weight: gram)
            let mixed = operations.add(
                operations.affine(gram, scale: b, offset: 0),
                operations.affine(square, scale: c, offset: 0))
            let update = operations.linear(mixed, weight: operations.transposed(x))
            x = operations.add(operations.affine(x, scale: a, offset: 0), update)
        }
        return isTall ? operations.transposed(x) : x
    }
}

extension Optimizer {
    /// All that a continued run needs: moments and averages by name, with the prefixes `first.`,
    /// `second.`, `average.` and `parameter.`.
    public var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (name, tensor) in first { state["first." + name] = tensor }
        for (name, tensor) in second { state["second." + name] = tensor }
        for name in parameters.names {
            state["average." + name] = average[name]
            state["parameter." + name] = parameters[name]
        }
        return state
    }

    /// Takes a saved state over.
    ///
    /// - Parameter tensor: gives the saved tensor of a name and shape, or throws
    public func restore(
        stepCount: Int, _ tensor: (_ name: String, _ shape: [Int]) throws -> Tensor
    ) throws {
        for (name, current) in state.sorted(by: { $0.key < $1.key }) {
            try tensor(name, current.shape).copyFloats(to: current.floats)
        }
        self.stepCount = stepCount
    }
}
