// `turbine train vae`: images to an autoencoder.
import ArgumentParser
import Distillation

struct TrainVAECommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vae",
        abstract: "Train an AutoencoderKL on a data set's images.")

    @OptionGroup var options: TrainOptions

    func run() throws {
        let recipe = try AutoencoderRecipe(RecipeObject(path: options.recipe))
        let stage = try AutoencoderStage(recipe, data: try ImageFolder(path: options.data))
        try options.train(stage, recipe.run, team: options.team())
    }
}
