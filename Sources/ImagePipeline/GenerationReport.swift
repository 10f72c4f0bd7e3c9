// What a generation did, for people and programs.

/// Seconds spent by stage.
public struct StageSeconds: Sendable, Equatable, Codable {
    public var textEncoding = 0.0
    public var denoising = 0.0
    public var decoding = 0.0
    /// PNG compression and writing.
    public var encoding = 0.0

    public init() {}
}

/// One image of a generation.
public struct ImageReport: Sendable, Equatable, Codable {
    public var index: Int
    public var seed: UInt64
    public var width: Int
    public var height: Int
    /// Of the pixels: rows of red, green, blue bytes.
    public var sha256: String
    /// Whether decoding used tiles.
    public var isTiled: Bool
    public var seconds: StageSeconds
    /// Seconds of each step.
    public var stepSeconds: [Double]
    public var pruning: PruningReport?
}

/// All of a generation.
public struct GenerationReport: Sendable, Equatable, Codable {
    public var model: String
    public var modelHash: String
    /// Weights format and kernel family: results are bit-identical within a class.
    public var numericsClass: String
    public var version: String
    public var threads: Int
    /// Of encoding the prompts, which serves all images.
    public var textSeconds: Double
    public var images: [ImageReport]
    /// The most bytes the engine held at once beside the mapped weights.
    public var peakWorkingBytes: Int
    /// The most bytes while denoising.
    public var peakDenoisingBytes: Int
}
