// What a caller asks for, and the bounds on it.
import Foundation

/// A request for images. All fields have their final values: presets and templates are resolved
/// before.
public struct GenerationRequest: Sendable, Equatable {
    public var prompt: String
    public var negativePrompt = ""
    /// Pixels.
    public var width: Int
    public var height: Int
    public var stepCount: Int
    /// Guidance scale g of pos + g · (pos − neg); 0 for none.
    public var guidance: Float
    /// Upper bound on the guided velocity's norm, as a multiple of the unguided one's; 0 for none.
    public var guidanceNormalization: Float = 0
    /// Guidance stops at times above this; 1 for never.
    public var guidanceTruncation: Float = 1
    /// Noise of image i comes from seed + i (wrapping at 64 bits).
    public var seed: UInt64
    public var imageCount = 1
    /// nil for no pruning.
    public var pruning: PruningOptions? = PruningOptions()
    public var tiling = TilingOptions()

    public init(
        prompt: String, width: Int, height: Int, stepCount: Int, guidance: Float, seed: UInt64
    ) {
        self.prompt = prompt
        self.width = width
        self.height = height
        self.stepCount = stepCount
        self.guidance = guidance
        self.seed = seed
    }
}

/// Bounds that a request must keep to before any work is done for it.
public struct GenerationLimits: Sendable, Equatable {
    /// UTF-8 bytes of a prompt. The encoder reads 512 tokens; no text of that length comes near.
    public var promptByteCount = 100_000
    /// Pixels along a side.
    public var side = 8192
    /// Pixels of an image.
    public var pixelCount = 4096 * 4096
    public var stepCount = 1000
    public var imageCount = 64
    public var guidance: Float = 1000

    public init() {}
}

extension GenerationRequest {
    /// Checks every field against the limits and the sizes that a model takes.
    ///
    /// - Parameter sizeMultiple: what width and height must be multiples of
    /// - Throws: `GenerationError` naming the first field at fault.
    public func validate(limits: GenerationLimits = GenerationLimits(), sizeMultiple: Int = 16)
        throws
    {
        try Self.validate(prompt: prompt, field: "prompt", limits)
        try Self.validate(prompt: negativePrompt, field: "negative prompt", limits)
        for (field, value) in [("width", width), ("height", height)] {
            guard value > 0, value % sizeMultiple == 0, value <= limits.side else {
                throw GenerationError(
                    code: .invalidArgument, field: field, what: "is \(value)",
                    remedy: "use a multiple of \(sizeMultiple) from \(sizeMultiple) to \(limits.side)"
                )
            }
        }
        guard width * height <= limits.pixelCount else {
            throw GenerationError(
                code: .resourceLimit, field: "width and height",
                what: "\(width)x\(height) is \(width * height) pixels",
                remedy: "use at most \(limits.pixelCount) pixels")
        }
        try Self.validate(stepCount, 1...limits.stepCount, "steps")
        try Self.validate(imageCount, 1...limits.imageCount, "count")
        try Self.validate(guidance, 0...limits.guidance, "guidance")
        try Self.validate(guidanceNormalization, 0...limits.guidance, "cfg normalization")
        try Self.validate(guidanceTruncation, 0...limits.guidance, "cfg truncation")
        try pruning?.validate()
        try tiling.validate()
    }

    private static func validate(
        prompt: String, field: String, _ limits: GenerationLimits
    ) throws {
        let count = prompt.utf8.count
        guard count <= limits.promptByteCount else {
            throw GenerationError(
                code: .resourceLimit, field: field, what: "is \(count) bytes long",
                remedy: "use at most \(limits.promptByteCount) bytes")
        }
        guard !prompt.utf8.contains(0) else {
            throw GenerationError(
                code: .invalidArgument, field: field, what: "contains a NUL byte",
                remedy: "remove it")
        }
    }

    static func validate(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws {
        guard range.contains(value) else {
            throw GenerationError(
                code: .invalidArgument, field: field, what: "is \(value)",
                remedy: "use \(range.lowerBound) to \(range.upperBound)")
        }
    }

    static func validate(_ value: Float, _ range: ClosedRange<Float>, _ field: String) throws {
        guard value.isFinite, range.contains(value) else {
            throw GenerationError(
                code: .invalidArgument, field: field, what: "is \(value)",
                remedy: "use a number from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
