// What the stages of training have to provide; `TrainingRun` does the rest.
import Autodiff
import TensorCore

/// One kind of training: how examples are drawn and what their loss is.
public protocol TrainingStage: AnyObject {
    /// Some examples that go through the model together.
    associatedtype Piece

    /// Names of the numbers that `backward` returns, for the log.
    var lossNames: [String] { get }
    /// Names of the numbers that `report` measures.
    var metricNames: [String] { get }
    /// What is trained.
    var parameters: ParameterStore { get }

    /// Whether Muon may take a matrix.
    func isMatrix(_ name: String) -> Bool

    /// The pieces of a step: the same at every call with the same step.
    func pieces(step: Int) throws -> [Piece]

    /// Runs a piece forward and back. Called on several threads at a time.
    ///
    /// - Parameters:
    ///   - share: the piece's part of the step, which gradients are multiplied by
    ///   - recorder: knows the parameters; its gradients are read afterwards
    /// - Returns: the losses, averages over the piece
    func backward(
        _ piece: Piece, step: Int, share: Float, through recorder: RecordingOperations
    ) throws -> [Double]

    /// Measures and shows the averaged model.
    func report(
        _ average: ParameterStore, step: Int, team: ComputeTeam
    ) throws -> (metrics: [Double], sheet: ContactSheet?)

    /// Writes the averaged model into a folder.
    func export(_ average: ParameterStore, to folder: String, team: ComputeTeam) throws
}

/// A generator for one step (and one use of it), so that a run can go on from any step.
func generator(seed: UInt64, step: Int, use: UInt64 = 0) -> TorchGenerator {
    // splitmix64's finaliser spreads neighbouring steps over all seeds.
    var z = seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(step) &* 0xbf58_476d_1ce4_e5b9 &+ use
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return TorchGenerator(seed: z ^ (z >> 31))
}

extension TorchGenerator {
    /// A whole number below `bound`, even enough for drawing examples.
    mutating func nextIndex(below bound: Int) -> Int {
        Int((UInt64(next()) * UInt64(bound)) >> 32)
    }

    /// Puts items in random order (Fisher & Yates).
    mutating func shuffle<Item>(_ items: inout [Item]) {
        for last in stride(from: items.count - 1, to: 0, by: -1) {
            items.swapAt(last, nextIndex(below: last + 1))
        }
    }
}
