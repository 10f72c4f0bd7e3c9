// What a recipe says about the student.
import Checkpoints

/// Each part of the loss is a weight; 0 switches it off.
public struct DistillationRecipe: Sendable {
    public var run: RunSettings
    /// The teacher's guidance, which the student learns to do without.
    var guidance: Float
    /// Numbers of steps that the student is to be good at.
    var studentSteps: [Int]
    /// Teacher's steps within one of the student's.
    var substeps: Int
    /// The student's velocity against the teacher's guided one, at the same latents and time.
    var prediction: Float
    /// The student's velocity against the teacher's mean velocity over the whole step.
    var trajectory: Float
    /// Hidden states after the main layers, relative to the teacher's.
    var features: Float
    /// Features of the autoencoder's encoder, of both estimates of the image, relative.
    var alignment: Float
    /// Share of the samples that alignment is computed for: it runs both halves of the autoencoder.
    var alignmentShare: Double
    /// How much more patches weigh that the subject covers.
    var subject: Float
    /// Whether long steps are learnt before short ones; else all lengths from the beginning.
    var isProgressive: Bool
    var groups: [String]
    var samples: SampleSettings

    public init(_ recipe: RecipeObject) throws {
        let stage = try recipe.string("stage")
        guard stage == "distill" else { throw recipe.invalid("stage", "is \(stage), not distill") }
        run = try RunSettings(recipe)
        guidance = Float(try recipe.float("guidance", default: 2, in: 0...100))
        let steps = try recipe.strings("student_steps", default: ["4", "8"]).map { Int($0) ?? 0 }
        guard !steps.isEmpty, steps.allSatisfy({ (1...1000).contains($0) }) else {
            throw recipe.invalid("student_steps", "is not a list of numbers of steps as strings")
        }
        studentSteps = steps.sorted()
        substeps = try recipe.int("substeps", default: 3, in: 1...100)
        isProgressive = try recipe.bool("progressive", default: true)
        alignmentShare = try recipe.float("alignment_share", default: 0.0625, in: 0...1)
        groups = try recipe.strings("groups")
        let weights = try recipe.object("loss")
        func weight(_ name: String, _ fallback: Double) throws -> Float {
            Float(try weights.float(name, default: fallback, in: 0...1000))
        }
        prediction = try weight("prediction", 0.5)
        trajectory = try weight("trajectory", 1)
        features = try weight("features", 0.1)
        alignment = try weight("alignment", 0.1)
        subject = try weight("subject", 1)
        try weights.finish()
        samples = try SampleSettings(recipe.object("samples"))
        try recipe.finish()
        guard prediction + trajectory > 0 else {
            throw recipe.invalid("loss", "has neither prediction nor trajectory")
        }
    }

    /// The numbers of steps that are learnt at a time of the run, 0…1.
    func stepCounts(at progress: Double) -> [Int] {
        guard isProgressive else { return studentSteps }
        // The coarsest alone for the first part, then one finer after another.
        let count = 1 + Int(progress * 1.5 * Double(studentSteps.count))
        return Array(studentSteps.prefix(min(count, studentSteps.count)))
    }
}
