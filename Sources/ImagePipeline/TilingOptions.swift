// What a caller can ask of tiled decoding.

/// How latents are decoded: as a whole or in overlapping tiles.
public struct TilingOptions: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable, Codable {
        case off
        case on
        /// Tiles when decoding as a whole would take more than the memory budget.
        case automatic = "auto"
    }

    public enum Blending: String, Sendable, CaseIterable, Codable {
        /// Overlapping tiles are added up and divided by their number.
        case counted
        /// Each tile fades out linearly over its overlap.
        case feathered
    }

    public var mode = Mode.automatic
    /// Largest extent of a tile, in latent cells.
    public var tileSize = 64
    /// Cells that neighbouring tiles have in common, at least.
    public var overlap = 16
    public var blending = Blending.feathered
    /// Bytes that decoding as a whole may take, for the automatic mode.
    public var memoryBudget = 2 << 30

    public init() {}

    func validate() throws {
        try GenerationRequest.validate(tileSize, 8...1024, "tile size")
        try GenerationRequest.validate(overlap, 0...tileSize / 2, "tile overlap")
        try GenerationRequest.validate(memoryBudget, 1 << 20...1 << 50, "tile memory budget")
    }
}
