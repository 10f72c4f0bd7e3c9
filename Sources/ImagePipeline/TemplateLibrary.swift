// Prompt templates from JSON files: the ones that come with the program, and the user's own.

import Foundation

/// A library of prompt templates, found by name.
///
/// A file is an object with one key, `templates`: a list of objects with the keys `name`,
/// `language`, `description`, `pattern`, and optionally `defaults`, `required` and `suggestions`.
public struct TemplateLibrary: Equatable, Sendable {
    private var byName: [String: PromptTemplate] = [:]

    /// Reads template files in order; a template replaces one of the same name from an earlier
    /// file. A folder stands for its `.json` files in alphabetical order.
    /// - Throws: `GenerationError`: `unreadableFile`, or `invalidConfiguration` with the file and
    ///   the key.
    public init(files paths: [String]) throws {
        for path in paths {
            for file in try Self.files(at: path) {
                try add(file: file)
            }
        }
    }

    /// The names of all templates, in alphabetical order.
    public var names: [String] {
        byName.keys.sorted()
    }

    /// All templates in the order of their names; only those of a language when one is given.
    public func templates(language: String? = nil) -> [PromptTemplate] {
        byName.values.filter { language == nil || $0.language == language }
            .sorted { $0.name < $1.name }
    }

    /// The template of that name.
    /// - Throws: `GenerationError` (`unknownTemplate`) that lists the known names.
    public func template(named name: String) throws -> PromptTemplate {
        guard let template = byName[name] else {
            throw GenerationError(
                code: .unknownTemplate, field: "template",
                what: "there is no template \(GenerationError.quote(name))",
                remedy: "use one of: \(GenerationError.list(names))")
        }
        return template
    }

    /// The prompt of a template with its slots filled in; see `PromptTemplate.render`.
    /// - Throws: `GenerationError`: `unknownTemplate`, `unknownSlot`, `missingSlot`.
    public func render(name: String, slots: [String: String]) throws -> String {
        try template(named: name).render(slots)
    }

    private mutating func add(file path: String) throws {
        let members = try ConfigurationValue.object(file: path)
        if let key = members.keys.sorted().first(where: { $0 != "templates" }) {
            throw GenerationError(
                code: .invalidConfiguration, field: path,
                what: "has no key \(GenerationError.quote(key))",
                remedy: "use one of: templates")
        }
        guard case .array(let items) = members["templates"] ?? .null else {
            throw GenerationError(
                code: .invalidConfiguration, field: "\(path): templates",
                what: "is missing or no list", remedy: "use a list of templates")
        }
        var added: Set<String> = []
        for (index, item) in items.enumerated() {
            let location = "\(path): templates[\(index)]"
            let template = try PromptTemplate(item, location: location)
            guard added.insert(template.name).inserted else {
                throw GenerationError(
                    code: .invalidConfiguration, field: "\(location).name",
                    what: "\(GenerationError.quote(template.name)) stands twice in this file",
                    remedy: "give every template a name of its own")
            }
            byName[template.name] = template
        }
    }

    private static func files(at path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return [path] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted()
                .map { "\(path)/\($0)" }
        } catch {
            throw GenerationError(
                code: .unreadableFile, field: path, what: "the folder cannot be listed",
                remedy: "name a folder that can be read")
        }
    }
}
