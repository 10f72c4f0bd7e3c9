// The loop of training: steps, log, checkpoints, samples; stopped and continued at any step.
import Autodiff
import Foundation
import ImagePipeline
import TensorCore

/// How far a run is.
public struct TrainingProgress: Sendable {
    /// Steps done, of how many.
    public let step: Int
    public let stepCount: Int
    /// The last loss.
    public let loss: Double
    /// Seconds a step, lately.
    public let stepSeconds: Double
}

/// One run of a stage in a folder, which holds its state, log and samples.
public final class TrainingRun<Stage: TrainingStage> {
    private let stage: Stage
    private let settings: RunSettings
    private let folder: RunFolder
    private let team: ComputeTeam
    private let optimizer: Optimizer
    private var stepSeconds = 0.0

    /// Opens a run, from its last checkpoint if there is one.
    ///
    /// - Parameters:
    ///   - recipe: the recipe's text, which a continued run must have in common
    ///   - inputs: paths of what the run learns from, by name, in common too
    ///   - folder: created if it is missing
    ///   - acceptsChanges: takes up a run although recipe or inputs are others now
    /// - Throws: `TrainingError` when the folder belongs to another recipe or other inputs,
    ///   `CheckpointError` when its state is damaged
    public init(
        _ stage: Stage, _ settings: RunSettings, recipe: String, inputs: [String: String] = [:],
        folder: String, acceptsChanges: Bool = false, team: ComputeTeam
    ) throws {
        self.stage = stage
        self.settings = settings
        self.team = team
        optimizer = Optimizer(
            stage.parameters, settings.optimizer, isMatrix: stage.isMatrix)
        self.folder = try RunFolder(
            folder, recipe: recipe, inputs: inputs, columns: Self.columns(of: stage),
            acceptsChanges: acceptsChanges)
        try self.folder.restore(optimizer)
    }

    private static func columns(of stage: Stage) -> [String] {
        ["step", "seconds", "gradient_norm", "rate"] + stage.lossNames + stage.metricNames
    }

    /// Steps done.
    public var step: Int { optimizer.stepCount }

    /// Trains until the last step.
    ///
    /// - Parameter onStep: called after each step; false stops the run, with a checkpoint
    /// - Returns: whether the run is complete
    /// - Throws: `TrainingError` when a gradient is not a number: the last checkpoint stays
    public func run(_ onStep: (TrainingProgress) -> Bool) throws -> Bool {
        var sums = [Double](repeating: 0, count: stage.lossNames.count)
        var (normSum, stepsSummed) = (0.0, 0)
        while step < settings.stepCount {
            let start = ContinuousClock.now
            let (losses, norm) = try takeStep()
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            stepSeconds = stepSeconds == 0 ? seconds : 0.95 * stepSeconds + 0.05 * seconds
            for (index, loss) in losses.enumerated() { sums[index] += loss }
            normSum += norm
            stepsSummed += 1
            let isLast = step == settings.stepCount
            let isSampled = step % settings.samplePeriod == 0 || isLast
            if step % settings.logPeriod == 0 || isSampled {
                let count = Double(stepsSummed)
                try log(
                    sums.map { $0 / count }, norm: normSum / count, isSampled: isSampled)
                sums = sums.map { _ in 0 }
                (normSum, stepsSummed) = (0, 0)
            }
            let goesOn = onStep(
                TrainingProgress(
                    step: step, stepCount: settings.stepCount, loss: losses[0],
                    stepSeconds: stepSeconds))
            if step % settings.checkpointPeriod == 0 || isLast || !goesOn {
                try folder.save(optimizer)
            }
            if !goesOn { return isLast }
        }
        return true
    }

    /// Writes the averaged model.
    public func export(to path: String) throws {
        try stage.export(optimizer.average, to: path, team: team)
    }

    private struct PieceResult {
        let losses: [Double]
        let gradients: [String: Tensor]
    }

    /// One step; its losses and the norm of its gradient.
    private func takeStep() throws -> (losses: [Double], norm: Double) {
        let step = self.step
        let results = try pieceResults(try stage.pieces(step: step), step: step)
        var losses = [Double](repeating: 0, count: stage.lossNames.count)
        for result in results {
            for (index, loss) in result.losses.enumerated() {
                losses[index] += loss / Double(results.count)
            }
        }
        let gradients = sum(results.map(\.gradients))
        let norm = Optimizer.norm(gradients, team)
        guard norm.isFinite, losses.allSatisfy(\.isFinite) else {
            let listed = zip(stage.lossNames, losses).map { "\($0) \($1)" }
            throw TrainingError(
                .diverged,
                "the gradient's norm is \(norm) (\(listed.joined(separator: ", ")))",
                at: "step \(step + 1)",
                remedy: "lower the recipe's learning rates and give --accept-changes to go on from "
                    + "the last checkpoint, which is as it was")
        }
        optimizer.step(
            gradients, norm: norm, schedule: settings.schedule.factor(at: step), team)
        return (losses, Double(norm))
    }

    private func pieceResults(_ pieces: [Stage.Piece], step: Int) throws -> [PieceResult] {
        let parameters = stage.parameters
        let all = parameters.all
        return try team.map(pieces.count) { index, operations in
            let recorder = RecordingOperations(operations, parameters: all)
            let losses = try stage.backward(
                pieces[index], step: step, share: 1 / Float(pieces.count), through: recorder)
            var gradients: [String: Tensor] = [:]
            for name in parameters.names {
                gradients[name] = recorder.gradients[parameters[name]]
            }
            return PieceResult(losses: losses, gradients: gradients)
        }
    }

    /// The sum of all pieces' gradients, in the order of the pieces.
    private func sum(_ pieces: [[String: Tensor]]) -> [String: Tensor] {
        var total: [String: Tensor] = [:]
        for piece in pieces {
            for (name, gradient) in piece where total[name] == nil { total[name] = gradient }
        }
        let names = total.keys.sorted()
        team.run(names.count) { index, operations in
            let name = names[index]
            let target = GradientTarget(total[name]!, adds: true)
            for piece in pieces {
                guard let gradient = piece[name], gradient.storage !== target.tensor.storage
                else { continue }
                operations.scaledGradient(gradient, x: target)
            }
        }
        return total
    }

    private func log(_ losses: [Double], norm: Double, isSampled: Bool) throws {
        var metrics: [Double?] = stage.metricNames.map { _ in nil }
        if isSampled {
            let (measured, sheet) = try stage.report(
                optimizer.average, step: step, team: team)
            metrics = measured
            if let sheet { try folder.writeSample(sheet, step: step) }
        }
        let rate = settings.schedule.factor(at: step - 1) * settings.optimizer.rate
        try folder.log([Double(step), stepSeconds, norm, Double(rate)] + losses + metrics)
        if isSampled { try folder.drawCurve(stage.lossNames + stage.metricNames) }
    }
}
