// The gradient of each part of the student's loss, against the loss itself.
import Autodiff
import Checkpoints
import TensorCore
import Testing

@testable import Distillation

@Suite struct DistillationGradientTests {
    /// Along its gradient the loss rises as steeply as the gradient is long.
    @Test(arguments: [
        ["prediction": 1, "trajectory": 0, "features": 0, "alignment": 0],
        ["prediction": 0, "trajectory": 1, "features": 0, "alignment": 0],
        // One of the velocities' parts has to be there.
        ["prediction": 0, "trajectory": 1e-4, "features": 1, "alignment": 0],
        ["prediction": 0, "trajectory": 1e-4, "features": 0, "alignment": 1],
        ["prediction": 0.5, "trajectory": 1, "features": 0.3, "alignment": 0.3],
    ])
    func `the gradient is the loss's slope`(weights: [String: Double]) throws {
        let tiny = try TinyDenoising()
        let recipe = try tiny.student([
            "guidance": .integer(3), "substeps": .integer(2),
            "loss": .object(weights.mapValues(JSONValue.number)),
        ])
        let team = ComputeTeam(threadCount: 2)
        let stage = try DistillationStage(
            recipe, data: tiny.data, teacher: TinyDenoising.base, team: team)
        TinyDenoising.disturb(stage.parameters, by: 0.2)
        let piece = try stage.pieces(step: 0)[0]
        func backward() throws -> (loss: Double, recorder: RecordingOperations) {
            let recorder = RecordingOperations(team.whole, parameters: stage.parameters.all)
            let losses = try stage.backward(piece, step: 0, share: 1, through: recorder)
            return (losses[0], recorder)
        }
        let (loss, recorder) = try backward()
        var gradients: [String: [Float]] = [:]
        for name in stage.parameters.names {
            gradients[name] = recorder.gradients[stage.parameters[name]]?.elements
        }
        #expect(gradients.count > 40)
        let norm = gradients.values.joined().reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
        // So far that the loss changes by a thousandth: farther it bends, nearer it is rounding.
        let length = 0.001 * loss / norm
        func move(_ distance: Double) throws -> Double {
            for (name, gradient) in gradients {
                let tensor = stage.parameters[name]
                for i in 0..<tensor.count {
                    tensor.floats[i] += Float(distance / norm) * gradient[i]
                }
            }
            return try backward().loss
        }
        let above = try move(length)
        let below = try move(-2 * length)
        let slope = (above - below) / (2 * length)
        #expect(abs(slope / norm - 1) < 0.02, "\(slope) along a gradient of \(norm)")
    }
}
