// `turbine distill`: a many-step teacher to a few-step student.
import ArgumentParser
import Distillation

struct DistillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distill",
        abstract: "Teach a student to do in few steps what its teacher does in many.")

    @OptionGroup var options: TrainOptions
    @Option(help: "The teacher: a complete checkpoint folder.")
    var teacher: String

    func run() throws {
        let recipe = try DistillationRecipe(RecipeObject(path: options.recipe))
        let team = options.team()
        let stage = try DistillationStage(
            recipe, data: try ImageFolder(path: options.data), teacher: teacher, team: team)
        try options.train(stage, recipe.run, inputs: ["teacher": teacher], team: team)
    }
}
