// A preset: request fields under a name. The table of fields here is the only place that knows
// their names, types and ranges; reading, editing and writing all go through it.

/// Request fields that a preset sets; what it leaves out stays as the request or the program has
/// it.
public struct Preset: Equatable, Sendable {
    /// What the preset is for.
    public var summary: String?
    /// Columns of pixels, a multiple of 16.
    public var width: Int?
    /// Rows of pixels, a multiple of 16.
    public var height: Int?
    /// Evaluations of the transformer along the schedule.
    public var stepCount: Int?
    /// Guidance g of pos + g·(pos − neg); 0 is off.
    public var guidance: Double?
    public var negativePrompt: String?
    /// Largest norm of the guided prediction relative to the positive one; 0 is off.
    public var cfgNormalization: Double?
    /// Normalised time after which guidance is off.
    public var cfgTruncation: Double?
    /// Whether attention heads are pruned.
    public var prune: Bool?
    /// Entropy threshold of pruning, in nats.
    public var pruneThreshold: Double?
    /// Share of heads to prune, 0 to 1.
    public var pruneShare: Double?
    /// When the image is decoded in tiles.
    public var tile: TilingOptions.Mode?
    /// Side of a tile, in latent cells.
    public var tileSize: Int?
    /// Overlap of tiles, in latent cells.
    public var tileOverlap: Int?
    /// Images a request.
    public var imageCount: Int?

    public init() {}

    /// This preset with the fields that it leaves out taken from `base`.
    public func filled(from base: Preset) -> Preset {
        var result = self
        for field in Field.allCases where field.value(of: self) == nil {
            field.copy(from: base, to: &result)
        }
        return result
    }

    /// The keys that a preset may have in a file, in the order in which they are written.
    public static var keys: [String] {
        Field.allCases.map(\.rawValue)
    }

    /// Sets a field from text as a person types it: `width`, `768`.
    /// - Throws: `GenerationError` (`invalidArgument`) that names the key and what it takes.
    public mutating func set(key: String, to text: String) throws {
        guard let field = Field(rawValue: key) else { throw Self.unknownKey(key, in: "preset") }
        let value: ConfigurationValue =
            switch text {
            case _ where field.takesText: .string(text)
            case "true": .boolean(true)
            case "false": .boolean(false)
            default: Double(text).map { .number($0) } ?? .string(text)
            }
        guard field.assign(value, to: &self) else {
            throw GenerationError(
                code: .invalidArgument, field: key, what: "is \(value.kind)",
                remedy: "use \(field.expectation)")
        }
        try checkTiles(location: "preset", code: .invalidArgument)
    }

    static func unknownKey(_ key: String, in location: String) -> GenerationError {
        GenerationError(
            code: .invalidConfiguration, field: location,
            what: "has no key \(GenerationError.quote(key))",
            remedy: "use one of: \(GenerationError.list(keys))")
    }
}

extension Preset {
    /// Reads a preset from the members of a JSON object; `location` is the file and key, for
    /// errors.
    init(members: [String: ConfigurationValue], location: String) throws {
        self.init()
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let field = Field(rawValue: key) else {
                throw Self.unknownKey(key, in: location)
            }
            guard field.assign(value, to: &self) else {
                throw GenerationError(
                    code: .invalidConfiguration, field: "\(location).\(key)",
                    what: "is \(value.kind)", remedy: "use \(field.expectation)")
            }
        }
        try checkTiles(location: location, code: .invalidConfiguration)
    }

    /// The preset's keys and values, in the order of `keys`.
    var members: [(key: String, value: ConfigurationValue)] {
        Field.allCases.compactMap { field in field.value(of: self).map { (field.rawValue, $0) } }
    }

    /// Throws when a value is one that a file could not hold; `location` names the preset.
    func validate(location: String) throws {
        for (key, value) in members {
            var scratch = Preset()
            guard let field = Field(rawValue: key), !field.assign(value, to: &scratch) else {
                continue
            }
            throw GenerationError(
                code: .invalidArgument, field: "\(location).\(key)", what: "is \(value.kind)",
                remedy: "use \(field.expectation)")
        }
        try checkTiles(location: location, code: .invalidArgument)
    }

    private func checkTiles(location: String, code: GenerationError.Code) throws {
        guard let tileSize, let tileOverlap, tileOverlap >= tileSize else { return }
        throw GenerationError(
            code: code, field: "\(location).tile_overlap",
            what: "\(tileOverlap) is not less than the tile size \(tileSize)",
            remedy: "use an overlap below the tile size")
    }
}

extension Preset: Codable {
    /// Reads a preset under the rules of a preset file.
    /// - Throws: `GenerationError` (`invalidConfiguration`), or the decoder's error.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.singleValueContainer().decode([String: ConfigurationValue].self)
        try self.init(members: members, location: "preset")
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) }))
    }
}

/// The fields of a preset; the raw value is the key in a file.
private enum Field: String, CaseIterable {
    case description, width, height
    case stepCount = "num_inference_steps"
    case guidance = "cfg_scale"
    case negativePrompt = "negative_prompt"
    case cfgNormalization = "cfg_normalization"
    case cfgTruncation = "cfg_truncation"
    case prune
    case pruneThreshold = "prune_threshold"
    case pruneShare = "prune_share"
    case tile
    case tileSize = "tile_size"
    case tileOverlap = "tile_overlap"
    case imageCount = "num_images"

    /// Where the field stands in a preset, and what values it takes.
    private enum Kind {
        case text(WritableKeyPath<Preset, String?>, byteLimit: Int)
        case flag(WritableKeyPath<Preset, Bool?>)
        case tiling(WritableKeyPath<Preset, TilingOptions.Mode?>)
        case integer(WritableKeyPath<Preset, Int?>, ClosedRange<Int>, multipleOf: Int)
        case real(WritableKeyPath<Preset, Double?>, ClosedRange<Double>)
    }

    private var kind: Kind {
        switch self {
        case .description: .text(\.summary, byteLimit: 1_000)
        case .width: .integer(\.width, 16...PNGEncoder.sideLimit, multipleOf: 16)
        case .height: .integer(\.height, 16...PNGEncoder.sideLimit, multipleOf: 16)
        case .stepCount: .integer(\.stepCount, 1...1_000, multipleOf: 1)
        case .guidance: .real(\.guidance, 0...100)
        case .negativePrompt: .text(\.negativePrompt, byteLimit: 65_536)
        case .cfgNormalization: .real(\.cfgNormalization, 0...100)
        case .cfgTruncation: .real(\.cfgTruncation, 0...100)
        case .prune: .flag(\.prune)
        case .pruneThreshold: .real(\.pruneThreshold, 0...100)
        case .pruneShare: .real(\.pruneShare, 0...1)
        case .tile: .tiling(\.tile)
        case .tileSize: .integer(\.tileSize, 8...4_096, multipleOf: 1)
        case .tileOverlap: .integer(\.tileOverlap, 0...4_095, multipleOf: 1)
        case .imageCount: .integer(\.imageCount, 1...1_024, multipleOf: 1)
        }
    }

    var takesText: Bool {
        switch kind {
        case .text, .tiling: true
        default: false
        }
    }

    /// What the field takes, for messages.
    var expectation: String {
        switch kind {
        case .text(_, let byteLimit): "a text of at most \(byteLimit) bytes without NUL characters"
        case .flag: "true or false"
        case .tiling: "one of: \(GenerationError.list(TilingOptions.Mode.allCases.map(\.rawValue)))"
        case .integer(_, let range, let unit):
            (unit == 1 ? "a whole number" : "a multiple of \(unit)")
                + " from \(range.lowerBound) to \(range.upperBound)"
        case .real(_, let range):
            "a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))"
        }
    }

    /// Sets the field, or returns false when the value is not one that it takes.
    func assign(_ value: ConfigurationValue, to preset: inout Preset) -> Bool {
        switch (kind, value) {
        case (.text(let path, let byteLimit), .string(let text)):
            guard text.utf8.count <= byteLimit, !text.utf8.contains(0) else { return false }
            preset[keyPath: path] = text
        case (.flag(let path), .boolean(let flag)):
            preset[keyPath: path] = flag
        case (.tiling(let path), .string(let text)):
            guard let tiling = TilingOptions.Mode(rawValue: text) else { return false }
            preset[keyPath: path] = tiling
        case (.integer(let path, let range, let unit), .number(let number)):
            guard let integer = Int(exactly: number), range.contains(integer), integer % unit == 0
            else { return false }
            preset[keyPath: path] = integer
        case (.real(let path, let range), .number(let number)):
            guard range.contains(number) else { return false }
            preset[keyPath: path] = number
        default:
            return false
        }
        return true
    }

    /// The field's value in `preset`; nil when it is not set.
    func value(of preset: Preset) -> ConfigurationValue? {
        switch kind {
        case .text(let path, _): preset[keyPath: path].map { .string($0) }
        case .flag(let path): preset[keyPath: path].map { .boolean($0) }
        case .tiling(let path): preset[keyPath: path].map { .string($0.rawValue) }
        case .integer(let path, _, _): preset[keyPath: path].map { .number(Double($0)) }
        case .real(let path, _): preset[keyPath: path].map { .number($0) }
        }
    }

    /// Copies the field as it is.
    func copy(from source: Preset, to target: inout Preset) {
        switch kind {
        case .text(let path, _): target[keyPath: path] = source[keyPath: path]
        case .flag(let path): target[keyPath: path] = source[keyPath: path]
        case .tiling(let path): target[keyPath: path] = source[keyPath: path]
        case .integer(let path, _, _): target[keyPath: path] = source[keyPath: path]
        case .real(let path, _): target[keyPath: path] = source[keyPath: path]
        }
    }
}
