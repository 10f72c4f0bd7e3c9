// What a server takes: the ranges of a request's fields, checked before any memory is taken for
// images. Fields that are absent are the server's defaults and are not checked.

/// The largest requests of a server.
public struct RequestLimits: Sendable, Equatable {
    /// Pixels; the longer side of an image.
    public var maximumSide: UInt32
    /// Width times height.
    public var maximumPixels: UInt64
    public var maximumSteps: UInt32
    public var maximumImageCount: UInt32
    public var maximumGuidance: Double

    /// Sides are multiples of this many pixels.
    public static let sideMultiple: UInt32 = 16

    public init(
        maximumSide: UInt32 = 4096, maximumPixels: UInt64 = 2048 * 2048,
        maximumSteps: UInt32 = 200, maximumImageCount: UInt32 = 16, maximumGuidance: Double = 100
    ) {
        self.maximumSide = maximumSide
        self.maximumPixels = maximumPixels
        self.maximumSteps = maximumSteps
        self.maximumImageCount = maximumImageCount
        self.maximumGuidance = maximumGuidance
    }

    /// Throws the first fault of the request; the field is a path from `request`.
    public func check(_ request: GenerationRequest) throws(WireError) {
        do {
            try checkSize(request)
            try check(request.steps, "steps", 1...maximumSteps)
            try check(request.imageCount, "image_count", 1...maximumImageCount)
            try check(request.guidance, "guidance", 0...maximumGuidance)
            try check(request.cfgNormalization, "cfg_normalization", 0...maximumGuidance)
            try check(request.cfgTruncation, "cfg_truncation", 0...1)
            try checkSlots(request)
            try checkPruning(request.pruning)
            try checkTiling(request.tiling)
            try check(request.output?.pngCompression, "output.png_compression", 0...9)
        } catch {
            throw error.inside("request")
        }
    }

    /// Throws if the wish cannot be met.
    public func check(_ preview: PreviewWish?) throws(WireError) {
        try check(preview?.maximumSide, "preview.maximum_side", 8...1024)
    }

    private func checkSize(_ request: GenerationRequest) throws(WireError) {
        for (side, field) in [(request.width, "width"), (request.height, "height")] {
            try check(side, field, Self.sideMultiple...maximumSide)
            if let side, !side.isMultiple(of: Self.sideMultiple) {
                throw WireError(
                    .invalidValue, "is \(side)", field: field,
                    remedy: "use a multiple of \(Self.sideMultiple)")
            }
        }
        if let width = request.width, let height = request.height,
            UInt64(width) * UInt64(height) > maximumPixels
        {
            throw WireError(
                .limitExceeded, "makes \(width) × \(height) pixels", field: "width",
                remedy: "ask for at most \(maximumPixels) pixels")
        }
    }

    private func checkSlots(_ request: GenerationRequest) throws(WireError) {
        guard case .template(let template) = request.text else { return }
        var seen: Set<String> = []
        for slot in template.slots where !seen.insert(slot.slot).inserted {
            throw WireError(
                .invalidValue, "fills the slot “\(slot.slot)” twice", field: "template.slots",
                remedy: "give each slot once")
        }
    }

    private func checkPruning(_ pruning: PruningOptions?) throws(WireError) {
        switch pruning?.criterion {
        case .thresholdNats(let threshold):
            try check(threshold, "pruning.threshold_nats", 0...100)
        case .headShare(let share):
            try check(share, "pruning.head_share", 0...1)
        case nil:
            break
        }
        try check(
            pruning?.rejudgeIntervalSteps, "pruning.rejudge_interval_steps", 1...maximumSteps)
    }

    private func checkTiling(_ tiling: TilingOptions?) throws(WireError) {
        try check(tiling?.tileCells, "tiling.tile_cells", 8...512)
        guard let overlap = tiling?.overlapCells else { return }
        try check(overlap, "tiling.overlap_cells", 0...((tiling?.tileCells ?? 64) - 1))
    }

    private func check<Value: Comparable>(
        _ value: Value?, _ field: String, _ range: ClosedRange<Value>
    ) throws(WireError) {
        guard let value, !range.contains(value) else { return }
        throw WireError(
            value > range.upperBound ? .limitExceeded : .invalidValue, "is \(value)", field: field,
            remedy: "use a value from \(range.lowerBound) to \(range.upperBound)")
    }
}
