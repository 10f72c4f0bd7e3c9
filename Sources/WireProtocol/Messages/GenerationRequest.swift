// What to draw and how: the request that clients send and workers are leased.
// docs/protocol.md says when each is sent.

/// What to draw and how. Whatever is absent comes from the preset, and then from the server.
public struct GenerationRequest: Sendable, Equatable {
    public var text: PromptText
    public var preset: String?
    public var negativePrompt: String?
    /// Pixels; multiples of 16.
    public var width: UInt32?
    public var height: UInt32?
    public var steps: UInt32?
    /// 0 switches classifier-free guidance off.
    public var guidance: Double?
    /// The largest norm of the guided prediction, as a multiple of the unguided one's; 0 is off.
    public var cfgNormalization: Double?
    /// The share of the schedule (0...1) after which guidance ends.
    public var cfgTruncation: Double?
    /// Image i is made with seed + i. Absent: the server draws one and reports it.
    public var seed: UInt64?
    public var imageCount: UInt32?
    public var pruning: PruningOptions?
    public var tiling: TilingOptions?
    public var output: OutputOptions?
    /// A name or hash as in WorkerStatus; absent: any model.
    public var model: String?

    public init(
        text: PromptText, preset: String? = nil, negativePrompt: String? = nil,
        width: UInt32? = nil, height: UInt32? = nil, steps: UInt32? = nil, guidance: Double? = nil,
        cfgNormalization: Double? = nil, cfgTruncation: Double? = nil, seed: UInt64? = nil,
        imageCount: UInt32? = nil, pruning: PruningOptions? = nil, tiling: TilingOptions? = nil,
        output: OutputOptions? = nil, model: String? = nil
    ) {
        self.text = text
        self.preset = preset
        self.negativePrompt = negativePrompt
        self.width = width
        self.height = height
        self.steps = steps
        self.guidance = guidance
        self.cfgNormalization = cfgNormalization
        self.cfgTruncation = cfgTruncation
        self.seed = seed
        self.imageCount = imageCount
        self.pruning = pruning
        self.tiling = tiling
        self.output = output
        self.model = model
    }
}

/// A template of the server with its slots filled.
public struct TemplatePrompt: Sendable, Equatable {
    public var name: String
    /// No slot twice.
    public var slots: [SlotValue]

    public init(name: String = "", slots: [SlotValue] = []) {
        self.name = name
        self.slots = slots
    }
}

/// The text for one slot.
public struct SlotValue: Sendable, Equatable {
    public var slot: String
    public var value: String

    public init(slot: String = "", value: String = "") {
        self.slot = slot
        self.value = value
    }
}

/// Dynamic attention pruning.
public struct PruningOptions: Sendable, Equatable {
    public var enabled: Bool?
    public var criterion: PruningCriterion?
    /// After this many steps idle heads are judged again.
    public var rejudgeIntervalSteps: UInt32?

    public init(
        enabled: Bool? = nil, criterion: PruningCriterion? = nil,
        rejudgeIntervalSteps: UInt32? = nil
    ) {
        self.enabled = enabled
        self.criterion = criterion
        self.rejudgeIntervalSteps = rejudgeIntervalSteps
    }
}

/// Tiled latent decoding.
public struct TilingOptions: Sendable, Equatable {
    public var mode: TilingMode
    /// Latent cells.
    public var tileCells: UInt32?
    public var overlapCells: UInt32?
    public var blend: TileBlend
    /// For TILING_MODE_AUTO: what decoding may take above the weights.
    public var memoryBudgetBytes: UInt64?

    public init(
        mode: TilingMode = .unspecified, tileCells: UInt32? = nil, overlapCells: UInt32? = nil,
        blend: TileBlend = .unspecified, memoryBudgetBytes: UInt64? = nil
    ) {
        self.mode = mode
        self.tileCells = tileCells
        self.overlapCells = overlapCells
        self.blend = blend
        self.memoryBudgetBytes = memoryBudgetBytes
    }
}

/// How images are written.
public struct OutputOptions: Sendable, Equatable {
    /// Whether the parameters are written into the PNG's text chunks.
    public var metadata: Bool?
    /// zlib level, 0 (fast) to 9 (small).
    public var pngCompression: UInt32?

    public init(metadata: Bool? = nil, pngCompression: UInt32? = nil) {
        self.metadata = metadata
        self.pngCompression = pngCompression
    }
}

/// The wish for small pictures of the state so far.
public struct PreviewWish: Sendable, Equatable {
    /// One preview after every so many steps; 0: none.
    public var everySteps: UInt32
    /// The longer side, in pixels.
    public var maximumSide: UInt32?

    public init(everySteps: UInt32 = 0, maximumSide: UInt32? = nil) {
        self.everySteps = everySteps
        self.maximumSide = maximumSide
    }
}
