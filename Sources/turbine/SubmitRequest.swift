// The options of a request as the message that a broker takes.
import ImagePipeline
import WireProtocol

extension RequestOptions {
    /// The request as it was given; what is left out is for the worker to fill in. Preset and
    /// template files of this machine are applied here, since the worker does not have them.
    func wireRequest(model: String?) throws -> WireProtocol.GenerationRequest {
        var fields = try fields
        let resolver =
            try (presets != nil || !templates.isEmpty)
            ? RequestResolver(modelFolder: nil, presets: presets, templates: templates) : nil
        if let resolver, presets != nil {
            let named = try fields.preset.map { try resolver.presets.preset(named: $0) }
            fields.settings = fields.settings.filled(from: named ?? resolver.presets.defaultPreset)
                .filled(from: resolver.presets.defaultPreset)
            fields.preset = nil
        }
        if let resolver, !templates.isEmpty, case .template(let name, let slots) = fields.text {
            fields.text = .prompt(try resolver.templates.render(name: name, slots: slots))
        }
        var request = WireProtocol.GenerationRequest(text: fields.text.wire)
        let settings = fields.settings
        request.model = model
        request.preset = fields.preset
        request.negativePrompt = settings.negativePrompt
        request.width = settings.width.map { UInt32(clamping: $0) }
        request.height = settings.height.map { UInt32(clamping: $0) }
        request.steps = settings.stepCount.map { UInt32(clamping: $0) }
        request.guidance = fields.guidance ?? settings.guidance
        request.cfgNormalization = settings.cfgNormalization
        request.cfgTruncation = settings.cfgTruncation
        request.seed = fields.seed
        request.imageCount = settings.imageCount.map { UInt32(clamping: $0) }
        request.pruning = fields.wirePruning
        request.tiling = fields.wireTiling
        return request
    }
}

extension RequestFields.Text {
    fileprivate var wire: PromptText {
        switch self {
        case .prompt(let prompt): .prompt(prompt)
        case .template(let name, let slots):
            .template(
                TemplatePrompt(
                    name: name,
                    slots: slots.sorted { $0.key < $1.key }.map {
                        SlotValue(slot: $0.key, value: $0.value)
                    }))
        }
    }
}

extension RequestFields {
    fileprivate var wirePruning: WireProtocol.PruningOptions? {
        var criterion: PruningCriterion?
        if let share = settings.pruneShare {
            criterion = .headShare(share)
        } else if let threshold = settings.pruneThreshold {
            criterion = .thresholdNats(threshold)
        }
        guard settings.prune != nil || criterion != nil || judgingInterval != nil else {
            return nil
        }
        return WireProtocol.PruningOptions(
            enabled: settings.prune, criterion: criterion,
            rejudgeIntervalSteps: judgingInterval.map { UInt32(clamping: $0) })
    }

    fileprivate var wireTiling: WireProtocol.TilingOptions? {
        let hasNone =
            settings.tile == nil && settings.tileSize == nil && settings.tileOverlap == nil
            && tileBlending == nil && tileMemory == nil
        guard !hasNone else { return nil }
        var tiling = WireProtocol.TilingOptions(
            tileCells: settings.tileSize.map { UInt32(clamping: $0) },
            overlapCells: settings.tileOverlap.map { UInt32(clamping: $0) },
            memoryBudgetBytes: tileMemory.map { UInt64(clamping: $0) })
        switch settings.tile {
        case .automatic: tiling.mode = .auto
        case .on: tiling.mode = .on
        case .off: tiling.mode = .off
        case nil: break
        }
        switch tileBlending {
        case .counted: tiling.blend = .counted
        case .feathered: tiling.blend = .feathered
        case nil: break
        }
        return tiling
    }
}
