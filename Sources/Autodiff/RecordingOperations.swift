// Operations that are executed and written down, so that gradients can flow back through them.
import TensorCore

/// Executes operations with `EagerOperations` and keeps a tape of those that a parameter reaches.
///
/// One recorder serves one pass forward and one back: `backward` unwinds the tape and lets go of
/// the activations on its way. Parameters are float32. Results are those of the eager operations.
public final class RecordingOperations: TensorOperations {
    public let eager: EagerOperations
    /// What has been reached; after `backward`, the gradients of the parameters.
    public let gradients: GradientTable
    private var tape: [Step] = []

    /// A rule gets the gradient of its operation's result and puts those of the operands.
    public typealias Rule = (
        _ eager: EagerOperations, _ gradient: Tensor, _ gradients: GradientTable
    ) -> Void

    private struct Step {
        let result: Tensor
        let rule: Rule
    }

    /// - Parameter parameters: float32 tensors whose gradients are wanted
    public init(_ eager: EagerOperations, parameters: [Tensor]) {
        precondition(parameters.allSatisfy { $0.elementType == .float32 })
        self.eager = eager
        gradients = GradientTable(parameters: parameters)
    }

    /// Writes an operation down if a gradient of one of its operands is wanted.
    public func record(_ result: Tensor, of operands: [Tensor?], _ rule: @escaping Rule) {
        guard operands.contains(where: { $0.map(gradients.isTracked) ?? false }) else { return }
        gradients.track(result)
        tape.append(Step(result: result, rule: rule))
    }

    /// Lets gradients flow back from results to parameters.
    ///
    /// - Parameter seeds: results, and the gradient of the loss with respect to each
    public func backward(from seeds: [(result: Tensor, gradient: Tensor)]) {
        for seed in seeds {
            precondition(seed.result.count == seed.gradient.count)
            if let target = gradients.target(seed.result) {
                eager.scaledGradient(seed.gradient, x: target)
            }
        }
        while let step = tape.popLast() {
            if let gradient = gradients.take(step.result) {
                step.rule(eager, gradient, gradients)
            }
            // Its identity may be given to another storage from now on.
            gradients.forget(step.result)
        }
    }

    /// Operations on the tape.
    public var recordedCount: Int { tape.count }
}

extension RecordingOperations {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, keptOutputs: BlockSelection?,
        keptInputs: BlockSelection?
    ) -> Tensor {
        precondition(keptOutputs == nil && keptInputs == nil, "nothing is pruned in training")
        let y = eager.linear(x, weight: weight, bias: bias)
        record(y, of: [x, weight, bias]) { eager, dy, gradients in
            eager.linearGradient(
                x, weight: weight, gradient: dy, x: gradients.target(x),
                weight: gradients.target(weight), bias: bias.flatMap(gradients.target))
        }
        return y
    }

    public func embedding(_ ids: [Int32], table: Tensor) -> Tensor {
        let y = eager.embedding(ids, table: table)
        record(y, of: [table]) { eager, dy, gradients in
            if let target = gradients.target(table) {
                eager.embeddingGradient(ids, gradient: dy, table: target)
            }
        }
        return y
    }

    public func silu(_ x: Tensor) -> Tensor {
        let y = eager.silu(x)
        record(y, of: [x]) { eager, dy, gradients in
            eager.siluGradient(x, gradient: dy, x: gradients.targetOrScratch(x))
        }
        return y
    }

    public func siluProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
        let y = eager.siluProduct(a, b)
        record(y, of: [a, b]) { eager, dy, gradients in
            eager.siluProductGradient(
                a, b, gradient: dy, a: gradients.targetOrScratch(a),
                b: gradients.targetOrScratch(b))
        }
        return y
    }

    public func tanh(_ x: Tensor) -> Tensor {
        let y = eager.tanh(x)
        record(y, of: [x]) { eager, dy, gradients in
            eager.tanhGradient(y, gradient: dy, x: gradients.targetOrScratch(x))
        }
        return y
    }

    public func affine(_ x: Tensor, scale: Float, offset: Float) -> Tensor {
        let y = eager.affine(x, scale: scale, offset: offset)
        record(y, of: [x]) { eager, dy, gradients in
            eager.scaledGradient(dy, factor: scale, x: gradients.targetOrScratch(x))
        }
        return y
    }

    public func columns(_ x: Tensor, _ range: Range<Int>) -> Tensor {
        let y = eager.columns(x, range)
        // A view of x shares its gradient.
        if y.storage === x.storage { return y }
        record(y, of: [x]) { eager, dy, gradients in
            eager.columnsGradient(range, gradient: dy, x: gradients.targetOrScratch(x))
        }
        return y
    }

    public func gatherRows(
        _ sources: [Tensor], _ pieces: [(source: Int, rows: Range<Int>)]
    ) -> Tensor {
        let y = eager.gatherRows(sources, pieces)
        record(y, of: sources) { eager, dy, gradients in
            eager.gatherRowsGradient(
                pieces, gradient: dy, sources: sources.map(gradients.target))
        }
        return y
    }

    public func mergeBlocks(
        _ kept: Tensor, _ selection: BlockSelection, _ others: Tensor, blockCount: Int
    ) -> Tensor {
        preconditionFailure("nothing is pruned in training")
    }

    public func selectBlocks(_ x: Tensor, _ selection: BlockSelection) -> Tensor {
        preconditionFailure("nothing is pruned in training")
    }

    public func transposed(_ x: Tensor) -> Tensor {
        let y = eager.transposed(x)
        record(y, of: [x]) { eager, dy, gradients in
            eager.transposedGradient(dy, x: gradients.targetOrScratch(x))
        }
        return y
    }

    public func add(_ a: Tensor, _ b: Tensor) -> Tensor {
        let y = eager.add(a, b)
        record(y, of: [a, b]) { eager, dy, gradients in
            if let target = gradients.target(b) { eager.scaledGradient(dy, x: target) }
            gradients.pass(dy, to: a, eager)
        }
        return y
    }
}
