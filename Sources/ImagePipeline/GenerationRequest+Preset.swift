// From preset fields to a request.

extension GenerationRequest {
    /// A request with the fields of a preset; what it leaves out has the program's defaults.
    ///
    /// - Parameter settings: explicit fields over a named preset over the default one; see
    ///   `Preset.filled(from:)`
    public init(prompt: String, settings: Preset, seed: UInt64) {
        self.init(
            prompt: prompt, width: settings.width ?? 1024, height: settings.height ?? 1024,
            stepCount: settings.stepCount ?? 8, guidance: Float(settings.guidance ?? 0), seed: seed)
        negativePrompt = settings.negativePrompt ?? ""
        guidanceNormalization = Float(settings.cfgNormalization ?? 0)
        guidanceTruncation = Float(settings.cfgTruncation ?? 1)
        imageCount = settings.imageCount ?? 1
        if settings.prune == false {
            pruning = nil
        } else if let share = settings.pruneShare {
            pruning = PruningOptions(criterion: .share(Float(share)))
        } else if let threshold = settings.pruneThreshold {
            pruning = PruningOptions(criterion: .threshold(Float(threshold)))
        }
        tiling.mode = settings.tile ?? tiling.mode
        tiling.tileSize = settings.tileSize ?? tiling.tileSize
        tiling.overlap = settings.tileOverlap ?? tiling.overlap
    }
}
