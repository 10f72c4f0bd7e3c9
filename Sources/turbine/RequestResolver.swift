// How a request becomes final: explicit fields over a named preset over the default one, and
// templates filled in. `turbine generate` and workers share it.
import Checkpoints
import Foundation
import ImagePipeline

/// What was asked for explicitly.
struct RequestFields {
    enum Text {
        case prompt(String)
        case template(name: String, slots: [String: String])
    }

    var text: Text
    var preset: String?
    var settings = Preset()
    /// Taken as written, beyond what a preset may hold.
    var guidance: Double?
    var seed: UInt64?
    var judgingInterval: Int?
    var tileBlending: TilingOptions.Blending?
    /// Bytes.
    var tileMemory: Int?

    init(text: Text) {
        self.text = text
    }
}

/// Presets, templates, and the preset that suits the model.
struct RequestResolver {
    let presets: PresetLibrary
    let templates: TemplateLibrary
    /// For requests that name none; nil: the default preset.
    let preferredPreset: String?

    /// - Parameters:
    ///   - modelFolder: of the model, which may name the preset that suits it; nil: none does
    ///   - presets: another preset file
    ///   - templates: files or folders with further templates
    init(modelFolder: String?, presets: String? = nil, templates: [String] = []) throws {
        self.presets = try PresetLibrary(
            file: presets ?? ResourceLocator.locate(ResourceLocator.presets))
        self.templates = try TemplateLibrary(
            files: [ResourceLocator.locate(ResourceLocator.templates)] + templates)
        preferredPreset = try modelFolder.flatMap { try Self.preferredPreset(modelFolder: $0) }
    }

    /// The final request, and the preset's name if there is one.
    /// - Throws: `GenerationError` for names that are not there and slots that do not fit.
    func resolve(_ fields: RequestFields) throws -> (GenerationRequest, preset: String?) {
        let presetName = fields.preset ?? preferredPreset
        let named = try presetName.map { try presets.preset(named: $0) } ?? presets.defaultPreset
        var settings = fields.settings.filled(from: named).filled(from: presets.defaultPreset)
        // A threshold that was asked for is not overruled by a preset's share.
        if fields.settings.pruneThreshold != nil, fields.settings.pruneShare == nil {
            settings.pruneShare = nil
        }
        var request = GenerationRequest(
            prompt: try prompt(fields.text), settings: settings,
            seed: fields.seed ?? UInt64.random(in: 0...UInt64(UInt32.max)))
        if let guidance = fields.guidance { request.guidance = Float(guidance) }
        if fields.settings.prune == true, request.pruning == nil {
            request.pruning = PruningOptions()
        }
        if let interval = fields.judgingInterval { request.pruning?.judgingInterval = interval }
        if let blending = fields.tileBlending { request.tiling.blending = blending }
        if let memory = fields.tileMemory { request.tiling.memoryBudget = memory }
        return (request, presetName)
    }

    private func prompt(_ text: RequestFields.Text) throws -> String {
        switch text {
        case .prompt(let prompt): prompt
        case .template(let name, let slots): try templates.render(name: name, slots: slots)
        }
    }

    /// A model folder can name the preset that suits it, in `turbine.json`.
    private static func preferredPreset(modelFolder: String) throws -> String? {
        let path = "\(modelFolder)/turbine.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try Configuration(path: path).string("preset")
    }
}
