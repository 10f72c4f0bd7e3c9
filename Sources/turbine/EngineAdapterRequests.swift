// Wire requests as the engine's, and the engine's errors as a worker's.
import ImagePipeline
import WireProtocol
import WorkerService

extension RequestFields {
    /// The fields of a request from the wire.
    /// - Throws: `GenerationError` for values that no preset could hold.
    init(_ request: WireProtocol.GenerationRequest) throws {
        switch request.text {
        case .prompt(let prompt):
            self.init(text: .prompt(prompt))
        case .template(let template):
            let slots = Dictionary(
                template.slots.map { ($0.slot, $0.value) }, uniquingKeysWith: { _, last in last })
            self.init(text: .template(name: template.name, slots: slots))
        }
        preset = request.preset
        guidance = request.guidance
        seed = request.seed
        settings.width = request.width.map { Int($0) }
        settings.height = request.height.map { Int($0) }
        settings.stepCount = request.steps.map { Int($0) }
        settings.guidance = request.guidance
        settings.negativePrompt = request.negativePrompt
        settings.cfgNormalization = request.cfgNormalization
        settings.cfgTruncation = request.cfgTruncation
        settings.imageCount = request.imageCount.map { Int($0) }
        read(request.pruning)
        read(request.tiling)
    }

    private mutating func read(_ pruning: WireProtocol.PruningOptions?) {
        guard let pruning else { return }
        settings.prune = pruning.enabled
        switch pruning.criterion {
        case .thresholdNats(let threshold): settings.pruneThreshold = threshold
        case .headShare(let share): settings.pruneShare = share
        case nil: break
        }
        // Who names a criterion wants pruning, whatever the preset says.
        if pruning.criterion != nil, pruning.enabled == nil { settings.prune = true }
        judgingInterval = pruning.rejudgeIntervalSteps.map { Int($0) }
    }

    private mutating func read(_ tiling: WireProtocol.TilingOptions?) {
        guard let tiling else { return }
        switch tiling.mode {
        case .unspecified: break
        case .auto: settings.tile = .automatic
        case .on: settings.tile = .on
        case .off: settings.tile = .off
        }
        settings.tileSize = tiling.tileCells.map { Int($0) }
        settings.tileOverlap = tiling.overlapCells.map { Int($0) }
        switch tiling.blend {
        case .unspecified: break
        case .counted: tileBlending = .counted
        case .feathered: tileBlending = .feathered
        }
        tileMemory = tiling.memoryBudgetBytes.map { Int(clamping: $0) }
    }
}

extension EngineAdapter {
    /// The engine's error for the broker: whose fault it is, and whether another try may help.
    static func workerError(_ error: any Error) -> WorkerError {
        guard let error = error as? GenerationError else {
            return error as? WorkerError ?? WorkerError(.generationFailed, "\(error)")
        }
        let code: WorkerError.Code =
            switch error.code {
            case .cancelled: .cancelled
            case .unknownPreset, .unknownTemplate, .unknownSlot: .unknownName
            case .missingSlot, .invalidArgument, .unsupported: .invalidRequest
            case .resourceLimit: .limitExceeded
            case .invalidLatents: .invalidResumeState
            default: .generationFailed
            }
        let field = error.field.split(separator: " and ").first.map(String.init) ?? ""
        let isOfRequest = code == .invalidRequest || code == .limitExceeded || code == .unknownName
        return WorkerError(
            code, error.what,
            location: isOfRequest && !field.isEmpty
                ? "request." + field.replacing(" ", with: "_") : error.field,
            remedy: error.remedy)
    }
}
