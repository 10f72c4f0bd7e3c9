// The options of `turbine generate`, and how they become a request.
import ArgumentParser
import ImagePipeline

/// What the image shows and how it is made.
struct RequestOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "What the image shows; may be empty.")
    var prompt: String?
    @Option(parsing: .unconditional, help: "What the image should not show; needs guidance.")
    var negativePrompt: String?
    @Option(parsing: .unconditional, help: "Pixels, a multiple of 16.")
    var width: Int?
    @Option(parsing: .unconditional, help: "Pixels, a multiple of 16.")
    var height: Int?
    @Option(parsing: .unconditional, help: "Denoising steps, 1 to 1000.")
    var steps: Int?
    @Option(parsing: .unconditional, help: "Guidance scale; 0 for none.")
    var guidance: Double?
    @Option(
        parsing: .unconditional,
        help: "Bound on the guided prediction's norm relative to the unguided one's; 0 for none.")
    var cfgNormalization: Double?
    @Option(parsing: .unconditional, help: "Time (0 to 1) after which guidance stops.")
    var cfgTruncation: Double?
    @Option(
        parsing: .unconditional, help: "Seed of the first image, 0 to 2^64 - 1; default random.")
    var seed: UInt64?
    @Option(parsing: .unconditional, help: "Images; image i uses seed + i.")
    var count: Int?
    @Option(help: "A named preset of config/default.json.")
    var preset: String?
    @Option(help: "A prompt template of config/templates.")
    var template: String?
    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Fills a slot of the template.", valueName: "slot=value"))
    var slots: [String] = []
    @Option(help: "Another preset file.")
    var presets: String?
    @Option(help: "A file or folder with further templates.")
    var templates: [String] = []
    @Flag(inversion: .prefixedNo, help: "Skip attention heads that look at next to one token.")
    var prune: Bool?
    @Option(parsing: .unconditional, help: "Entropy in nats at or below which a head is idle.")
    var pruneThreshold: Double?
    @Option(parsing: .unconditional, help: "Share of heads to skip instead, 0 to 1.")
    var pruneShare: Double?
    @Option(parsing: .unconditional, help: "Steps between judgements of the heads.")
    var pruneInterval: Int?
    @Option(help: "Decode in tiles: auto, on or off.")
    var tile: TilingOptions.Mode?
    @Option(parsing: .unconditional, help: "Largest extent of a tile, in latent cells.")
    var tileSize: Int?
    @Option(parsing: .unconditional, help: "Overlap of tiles, in latent cells.")
    var tileOverlap: Int?
    @Option(help: "How tiles blend: feathered or counted.")
    var tileBlend: TilingOptions.Blending?
    @Option(parsing: .unconditional, help: "MiB that decoding may take before tiles are used.")
    var tileMemory: Int?

    /// The request and the names that its metadata states.
    func resolve(modelFolder: String) throws -> (GenerationRequest, preset: String?) {
        let resolver = try RequestResolver(
            modelFolder: modelFolder, presets: presets, templates: templates)
        return try resolver.resolve(try fields)
    }

    /// What was given, with the faults that only a command line can have sorted out.
    var fields: RequestFields {
        get throws {
            var fields = RequestFields(text: try text)
            fields.preset = preset
            fields.settings = explicit
            fields.guidance = guidance
            fields.seed = seed
            fields.judgingInterval = pruneInterval
            fields.tileBlending = tileBlend
            fields.tileMemory = tileMemory.map {
                let (bytes, overflow) = $0.multipliedReportingOverflow(by: 1 << 20)
                return overflow ? .max : bytes
            }
            return fields
        }
    }

    /// The fields that were given.
    private var explicit: Preset {
        var fields = Preset()
        fields.width = width
        fields.height = height
        fields.stepCount = steps
        fields.guidance = guidance
        fields.negativePrompt = negativePrompt
        fields.cfgNormalization = cfgNormalization
        fields.cfgTruncation = cfgTruncation
        fields.imageCount = count
        fields.prune = prune
        fields.pruneThreshold = pruneThreshold
        fields.pruneShare = pruneShare
        fields.tile = tile
        fields.tileSize = tileSize
        fields.tileOverlap = tileOverlap
        return fields
    }

    private var text: RequestFields.Text {
        get throws {
            guard let template else {
                guard slots.isEmpty else {
                    throw ValidationError(
                        "--set fills slots of a template; name one with --template.")
                }
                guard let prompt else {
                    throw ValidationError("A prompt is missing; give --prompt or --template.")
                }
                return .prompt(prompt)
            }
            guard prompt == nil else {
                throw ValidationError(
                    "--prompt and --template exclude each other; give one of them.")
            }
            var values: [String: String] = [:]
            for item in slots {
                guard let equals = item.firstIndex(of: "=") else {
                    throw ValidationError(
                        "--set takes slot=value, not \(GenerationError.quote(item)).")
                }
                values[String(item[..<equals])] = String(item[item.index(after: equals)...])
            }
            return .template(name: template, slots: values)
        }
    }
}

extension TilingOptions.Mode: ExpressibleByArgument {}
extension TilingOptions.Blending: ExpressibleByArgument {}
