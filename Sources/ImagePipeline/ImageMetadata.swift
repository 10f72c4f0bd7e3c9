// What made an image, kept in the image: as the `parameters` text that web user interfaces read,
// and as JSON from which everything comes back exactly.

import Foundation

/// The parameters of an image.
///
/// Nothing here depends on the run (no time, no host): the same request gives the same text.
public struct ImageMetadata: Equatable, Sendable, Codable {
    /// What attention pruning was asked to do and what it saved.
    public struct Pruning: Equatable, Sendable, Codable {
        /// Entropy threshold in nats, when one was given.
        public var threshold: Double?
        /// Target share of heads, when one was given (0 to 1).
        public var share: Double?
        /// Share of the attention work that was skipped (0 to 1).
        public var attentionSaved: Double?
        /// Share of all transformer work that was skipped (0 to 1).
        public var workSaved: Double?

        public init(
            threshold: Double? = nil, share: Double? = nil, attentionSaved: Double? = nil,
            workSaved: Double? = nil
        ) {
            self.threshold = threshold
            self.share = share
            self.attentionSaved = attentionSaved
            self.workSaved = workSaved
        }

        enum CodingKeys: String, CodingKey {
            case threshold, share
            case attentionSaved = "attention_saved"
            case workSaved = "work_saved"
        }
    }

    public var prompt: String
    public var negativePrompt: String
    /// The seed of this image's noise (PyTorch's CPU generator).
    public var seed: UInt64
    /// Evaluations of the transformer along the schedule.
    public var steps: Int
    /// Guidance g of pos + g·(pos − neg), as requested; 0 is off.
    public var guidance: Double
    /// Largest norm of the guided prediction relative to the positive one; nil or 0 is off.
    public var cfgNormalization: Double?
    /// Normalised time after which guidance is off; nil is never.
    public var cfgTruncation: Double?
    /// Columns of pixels.
    public var width: Int
    /// Rows of pixels.
    public var height: Int
    /// The checkpoint's name.
    public var modelName: String
    /// The checkpoint's hash, in hexadecimal digits.
    public var modelHash: String
    /// Weights format and kernel family: images are bit-identical within one class.
    public var numericsClass: String
    /// The version of Turbine, such as `0.1`.
    public var version: String
    /// The preset used, if any.
    public var preset: String?
    /// The template used, if any.
    public var template: String?
    /// What pruning did; nil when it was off.
    public var pruning: Pruning?

    public init(
        prompt: String, negativePrompt: String = "", seed: UInt64, steps: Int, guidance: Double,
        cfgNormalization: Double? = nil, cfgTruncation: Double? = nil, width: Int, height: Int,
        modelName: String, modelHash: String, numericsClass: String, version: String,
        preset: String? = nil, template: String? = nil, pruning: Pruning? = nil
    ) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.seed = seed
        self.steps = steps
        self.guidance = guidance
        self.cfgNormalization = cfgNormalization
        self.cfgTruncation = cfgTruncation
        self.width = width
        self.height = height
        self.modelName = modelName
        self.modelHash = modelHash
        self.numericsClass = numericsClass
        self.version = version
        self.preset = preset
        self.template = template
        self.pruning = pruning
    }

    enum CodingKeys: String, CodingKey {
        case prompt, seed, steps, guidance, width, height, version, preset, template, pruning
        case negativePrompt = "negative_prompt"
        case cfgNormalization = "cfg_normalization"
        case cfgTruncation = "cfg_truncation"
        case modelName = "model"
        case modelHash = "model_hash"
        case numericsClass = "numerics_class"
    }
}

extension ImageMetadata {
    /// The text entry that web user interfaces read.
    static let parametersKey = "parameters"
    /// The text entry with everything, as JSON.
    static let turbineKey = "turbine"

    /// The text entries of the image: `parameters`, `turbine` and `Software`.
    /// - Throws: `GenerationError` (`invalidArgument`) when a number is not finite.
    public func textEntries() throws -> [PNGText] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(self) else {
            throw GenerationError(
                code: .invalidArgument, field: "image metadata",
                what: "contains a number that is not finite", remedy: "use finite numbers")
        }
        return [
            PNGText(key: Self.parametersKey, value: infoText.text),
            PNGText(key: Self.turbineKey, value: String(decoding: json, as: UTF8.self)),
            PNGText(key: "Software", value: "Turbine \(version)"),
        ]
    }

    /// The parameters as web user interfaces write them.
    ///
    /// `Normal` is their name for this schedule: times evenly spaced from the first to the last
    /// training step, then shifted (`normal_scheduler` with a flow model's sigmas equals
    /// `set_timesteps` of diffusers' `FlowMatchEulerDiscreteScheduler`). `RNG: CPU` is their name
    /// for PyTorch's CPU noise. `CFG scale` is the guidance as requested, so that it reads back as
    /// it was given.
    public var infoText: InfoText {
        var settings = [
            InfoText.Setting("Steps", String(steps)),
            InfoText.Setting("Sampler", "Euler"),
            InfoText.Setting("Schedule type", "Normal"),
            InfoText.Setting("CFG scale", Self.decimal(guidance)),
            InfoText.Setting("Seed", String(seed)),
            InfoText.Setting("Size", "\(width)x\(height)"),
            InfoText.Setting("Model hash", modelHash),
            InfoText.Setting("Model", modelName),
            InfoText.Setting("RNG", "CPU"),
        ]
        let optional = [
            ("CFG normalization", cfgNormalization.map(Self.decimal)),
            ("CFG truncation", cfgTruncation.map(Self.decimal)),
            ("Attention pruning threshold", pruning?.threshold.map(Self.decimal)),
            ("Attention pruning share", pruning?.share.map(Self.decimal)),
            ("Attention work saved", pruning?.attentionSaved.map(Self.decimal)),
            ("Preset", preset),
            ("Template", template),
        ]
        for (name, value) in optional {
            if let value { settings.append(InfoText.Setting(name, value)) }
        }
        settings.append(InfoText.Setting("Numerics", numericsClass))
        settings.append(InfoText.Setting("Version", "turbine \(version)"))
        return InfoText(prompt: prompt, negativePrompt: negativePrompt, settings: settings)
    }

    /// Reads back what `textEntries` wrote; nil when the image carries no `turbine` entry.
    /// - Throws: `GenerationError` (`unreadableImage`) when the entry is damaged.
    public init?(text: [PNGText]) throws {
        guard let entry = text.first(where: { $0.key == Self.turbineKey }) else { return nil }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(entry.value.utf8))
        } catch {
            throw GenerationError(
                code: .unreadableImage, field: "text \"\(Self.turbineKey)\"",
                what: "not the parameters of an image made by Turbine",
                remedy: "use the image as it was written")
        }
    }

    /// The shortest decimal form: `0`, `7.5`.
    private static func decimal(_ value: Double) -> String {
        let text = String(value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
