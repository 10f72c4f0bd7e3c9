// `turbine train teacher`: images and captions to a many-step model.
import ArgumentParser
import Distillation

struct TrainTeacherCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "teacher",
        abstract: "Train a text encoder and a transformer by flow matching.")

    @OptionGroup var options: TrainOptions
    @Option(help: "A folder with tokenizer and vae, which the model is built around.")
    var base: String

    func run() throws {
        let recipe = try TeacherRecipe(RecipeObject(path: options.recipe))
        let team = options.team()
        let stage = try TeacherStage(
            recipe, data: try ImageFolder(path: options.data), base: base, team: team)
        try options.train(stage, recipe.run, inputs: ["base": base], team: team)
    }
}
