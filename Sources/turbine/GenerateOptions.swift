// The options of `turbine generate`, and how they become a request.
import ArgumentParser
import Checkpoints
import Foundation
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
    @Option(parsing: .unconditional, help: "Seed of the first image, 0 to 2^64 - 1; default random.")
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
        let library = try PresetLibrary(file: presets ?? ResourceLocator.locate(ResourceLocator.presets))
        let presetName = try preset ?? Self.preferredPreset(modelFolder: modelFolder)
        let named = try presetName.map { try library.preset(named: $0) } ?? library.defaultPreset
        let settings = explicit.filled(from: named).filled(from: library.defaultPreset)
        var request = GenerationRequest(
            prompt: try resolvePrompt(), settings: settings,
            seed: seed ?? UInt64.random(in: 0...UInt64(UInt32.max)))
        // Guidance that was asked for explicitly is taken as written, beyond what a preset may hold.
        if let guidance { request.guidance = Float(guidance) }
        if prune == true, request.pruning == nil { request.pruning = PruningOptions() }
        if let pruneInterval { request.pruning?.judgingInterval = pruneInterval }
        if let tileBlend { request.tiling.blending = tileBlend }
        if let tileMemory {
            let (bytes, overflow) = tileMemory.multipliedReportingOverflow(by: 1 << 20)
            request.tiling.memoryBudget = overflow ? .max : bytes
        }
        return (request, presetName)
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

    /// A model folder can name the preset that suits it, in `turbine.json`.
    private static func preferredPreset(modelFolder: String) throws -> String? {
        let path = "\(modelFolder)/turbine.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try Configuration(path: path).string("preset")
    }

    private func resolvePrompt() throws -> String {
        guard let template else {
            guard slots.isEmpty else {
                throw ValidationError("--set fills slots of a template; name one with --template.")
            }
            guard let prompt else {
                throw ValidationError("A prompt is missing; give --prompt or --template.")
            }
            return prompt
        }
        guard prompt == nil else {
            throw ValidationError("--prompt and --template exclude each other; give one of them.")
        }
        var values: [String: String] = [:]
        for item in slots {
            guard let equals = item.firstIndex(of: "=") else {
                throw ValidationError("--set takes slot=value, not \(GenerationError.quote(item)).")
            }
            values[String(item[..<equals])] = String(item[item.index(after: equals)...])
        }
        let library = try TemplateLibrary(
            files: [ResourceLocator.locate(ResourceLocator.templates)] + templates)
        return try library.render(name: template, slots: values)
    }
}

extension TilingOptions.Mode: ExpressibleByArgument {}
extension TilingOptions.Blending: ExpressibleByArgument {}
