// A generation stopped after a step: all that another process needs to go on.
import Checkpoints
import Foundation
import TensorCore

/// The state of one image's denoising between two steps.
///
/// Written as safetensors: `latents` [channels, height, width]; with pruning also `judged_latents`,
/// those before the step at which heads were last judged, since going on repeats that judgement.
/// The steps, the request's fingerprint and the origin are in the metadata.
public struct DenoisingState {
    /// Latents before a step.
    public struct Point {
        public var step: Int
        /// [channels, height, width]
        public var latents: Tensor
    }

    /// The model and the kind of arithmetic that made the latents: both decide about every bit.
    struct Origin: Equatable, CustomStringConvertible {
        var modelHash: String
        var numericsClass: String

        var description: String { "model \(modelHash.prefix(16)) in \(numericsClass)" }
    }

    /// After the last step that is done.
    public var current: Point
    /// Before the last judging step; nil without pruning.
    public var judged: Point?
    /// What the next steps depend on beside the latents; nil for latents from elsewhere.
    var fingerprint: String?
    /// Who made them; nil where they do not state it.
    var origin: Origin?

    private static let stepKey = "turbine.step"
    private static let judgedStepKey = "turbine.judged_step"
    private static let fingerprintKey = "turbine.request"
    private static let modelKey = "turbine.model"
    private static let numericsKey = "turbine.numerics"

    /// Writes the state; the file appears only when whole.
    public func write(to path: String) throws {
        try AtomicFile.write(try encoded(), to: path)
    }

    /// The bytes of the file that `write(to:)` writes.
    public func encoded() throws -> [UInt8] {
        let (tensors, metadata) = contents
        return [UInt8](try SafetensorsWriter.encode(tensors, metadata: metadata))
    }

    private var contents: (tensors: [String: Tensor], metadata: [String: String]) {
        var tensors = ["latents": current.latents]
        var metadata = [Self.stepKey: String(current.step)]
        metadata[Self.fingerprintKey] = fingerprint
        metadata[Self.modelKey] = origin?.modelHash
        metadata[Self.numericsKey] = origin?.numericsClass
        if let judged {
            tensors["judged_latents"] = judged.latents
            metadata[Self.judgedStepKey] = String(judged.step)
        }
        return (tensors, metadata)
    }

    /// Reads a state, or bare latents that another program wrote (their step is 0).
    /// - Parameter shape: what the latents' shape must be
    /// - Throws: `CheckpointError` for a bad file, `GenerationError` for latents that do not fit.
    public init(path: String, shape: [Int]) throws {
        try self.init(SafetensorsFile(path: path), shape: shape)
    }

    /// Reads what `encoded()` made.
    /// - Throws: as `init(path:shape:)`.
    public init(contents: [UInt8], shape: [Int]) throws {
        try self.init(SafetensorsFile(contents: contents, name: "latents"), shape: shape)
    }

    private init(_ file: SafetensorsFile, shape: [Int]) throws {
        let path = file.path
        guard let latents = try Self.latents(file, "latents", shape) else {
            throw GenerationError(
                code: .invalidLatents, field: path, what: "has no tensor \"latents\"",
                remedy: "name a file that --latents-out wrote")
        }
        current = Point(step: try Self.step(file, Self.stepKey) ?? 0, latents: latents)
        fingerprint = file.metadata[Self.fingerprintKey]
        if let hash = file.metadata[Self.modelKey], let name = file.metadata[Self.numericsKey] {
            origin = Origin(modelHash: hash, numericsClass: name)
        }
        if let latents = try Self.latents(file, "judged_latents", shape) {
            let step = try Self.step(file, Self.judgedStepKey) ?? -1
            guard (0..<max(current.step, 1)).contains(step) else {
                throw Self.unsoundStep(file, Self.judgedStepKey)
            }
            judged = Point(step: step, latents: latents)
        }
    }

    /// A step that the metadata state; nil when they do not.
    private static func step(_ file: SafetensorsFile, _ key: String) throws -> Int? {
        guard let text = file.metadata[key] else { return nil }
        guard let step = Int(text), step >= 0 else { throw unsoundStep(file, key) }
        return step
    }

    private static func unsoundStep(_ file: SafetensorsFile, _ key: String) -> GenerationError {
        GenerationError(
            code: .invalidLatents, field: file.path,
            what: "has latents whose metadata state no sound \(key)",
            remedy: "name a file that --latents-out wrote")
    }

    init(current: Point, judged: Point?, fingerprint: String?, origin: Origin?) {
        self.origin = origin
        self.current = current
        self.judged = judged
        self.fingerprint = fingerprint
    }

    private static func latents(
        _ file: SafetensorsFile, _ name: String, _ shape: [Int]
    ) throws -> Tensor? {
        guard let stored = try file.tensor(name) else { return nil }
        let bare = stored.shape.first == 1 ? Array(stored.shape.dropFirst()) : stored.shape
        guard bare == shape else {
            throw GenerationError(
                code: .invalidLatents, field: file.path,
                what: "has \(name) of shape \(stored.shape), but the request needs \(shape)",
                remedy: "use the width, height and model that they were made with")
        }
        let latents = stored.reshaped(shape).asFloat32()
        guard latents.elements.allSatisfy({ $0.isFinite }) else {
            throw GenerationError(
                code: .invalidLatents, field: file.path, what: "has \(name) that are not finite",
                remedy: "name a file that --latents-out wrote")
        }
        return latents
    }
}
