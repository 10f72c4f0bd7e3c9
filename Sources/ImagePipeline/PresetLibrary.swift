// The presets of a file such as config/default.json: `default_preset`, and named ones under
// `presets`.

/// The presets of one file. Edits are kept by `save()`.
public struct PresetLibrary: Equatable, Sendable {
    /// The name under which `default_preset` is found.
    public static let defaultName = "default"

    /// The file that the presets came from and are saved to.
    public let path: String
    /// The preset for requests that name none.
    public private(set) var defaultPreset: Preset
    private var named: [String: Preset]

    private static let defaultKey = "default_preset"
    private static let namedKey = "presets"

    /// Reads and checks a preset file.
    /// - Throws: `GenerationError`: `unreadableFile`, or `invalidConfiguration` with the file and
    ///   the key of the first unknown key, wrong type or number out of range.
    public init(file path: String) throws {
        self.path = path
        let members = try ConfigurationValue.object(file: path)
        let known = [Self.defaultKey, Self.namedKey]
        if let key = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw GenerationError(
                code: .invalidConfiguration, field: path,
                what: "has no key \(GenerationError.quote(key))",
                remedy: "use one of: \(GenerationError.list(known))")
        }
        guard let value = members[Self.defaultKey] else {
            throw GenerationError(
                code: .invalidConfiguration, field: path,
                what: "lacks the key \"\(Self.defaultKey)\"", remedy: "add it")
        }
        let location = "\(path): \(Self.defaultKey)"
        defaultPreset = try Preset(members: Self.members(value, location), location: location)
        named = [:]
        let namedLocation = "\(path): \(Self.namedKey)"
        let presets = try Self.members(members[Self.namedKey] ?? .object([:]), namedLocation)
        for (name, value) in presets.sorted(by: { $0.key < $1.key }) {
            let location = "\(namedLocation).\(name)"
            try Self.check(name: name, location: namedLocation, code: .invalidConfiguration)
            named[name] = try Preset(members: Self.members(value, location), location: location)
        }
    }

    /// The names that can be looked up: `default`, then the others in alphabetical order.
    public var names: [String] {
        [Self.defaultName] + named.keys.sorted()
    }

    /// The preset of that name; `default` is the default preset.
    /// - Throws: `GenerationError` (`unknownPreset`) that lists the known names.
    public func preset(named name: String) throws -> Preset {
        if name == Self.defaultName { return defaultPreset }
        guard let preset = named[name] else {
            throw GenerationError(
                code: .unknownPreset, field: "preset",
                what: "there is no preset \(GenerationError.quote(name))",
                remedy: "use one of: \(GenerationError.list(names))")
        }
        return preset
    }

    /// Adds or replaces a preset; `default` stands for the default preset. `save()` makes it last.
    /// - Throws: `GenerationError` (`invalidArgument`) for a value out of range or an unfit name.
    public mutating func set(_ preset: Preset, named name: String) throws {
        try Self.check(name: name, location: "preset", code: .invalidArgument, allowsDefault: true)
        try preset.validate(location: "preset \(name)")
        if name == Self.defaultName { defaultPreset = preset } else { named[name] = preset }
    }

    /// Removes a preset.
    /// - Throws: `GenerationError`: `unknownPreset`; `invalidArgument` for the default preset.
    public mutating func remove(named name: String) throws {
        _ = try preset(named: name)
        guard name != Self.defaultName else {
            throw GenerationError(
                code: .invalidArgument, field: "preset", what: "the default preset has to stay",
                remedy: "set its fields instead")
        }
        named[name] = nil
    }

    /// Writes all presets to the file that they came from, in one step.
    /// - Throws: `GenerationError` (`unwritableOutput`).
    public func save() throws {
        try AtomicFile.write(text.utf8, to: path)
    }

    /// The file's content: one key a line, in a fixed order.
    var text: String {
        var lines = [
            "{", "  \"\(Self.defaultKey)\": " + Self.text(of: defaultPreset, indent: "  "),
        ]
        if !named.isEmpty {
            lines[1] += ","
            lines.append("  \"\(Self.namedKey)\": {")
            let presets = named.sorted { $0.key < $1.key }.map { name, preset in
                "    \(ConfigurationValue.string(name).text): "
                    + Self.text(of: preset, indent: "    ")
            }
            lines.append(presets.joined(separator: ",\n"))
            lines.append("  }")
        }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    private static func text(of preset: Preset, indent: String) -> String {
        let lines = preset.members.map { "\(indent)  \"\($0.key)\": \($0.value.text)" }
        return lines.isEmpty ? "{}" : "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
    }

    private static func members(
        _ value: ConfigurationValue, _ location: String
    ) throws -> [String: ConfigurationValue] {
        guard case .object(let members) = value else {
            throw GenerationError(
                code: .invalidConfiguration, field: location, what: "is \(value.kind)",
                remedy: "use an object")
        }
        return members
    }

    /// Names are what a person can type as one word on a command line.
    private static func check(
        name: String, location: String, code: GenerationError.Code, allowsDefault: Bool = false
    ) throws {
        let isWord =
            !name.isEmpty && name.count <= 64 && !name.hasPrefix("-")
            && name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
        guard isWord, allowsDefault || name != defaultName else {
            throw GenerationError(
                code: code, field: location,
                what: "\(GenerationError.quote(name)) cannot be the name of a preset",
                remedy: "use letters, digits, \"-\", \"_\" and \".\", and not \"\(defaultName)\"")
        }
    }
}
