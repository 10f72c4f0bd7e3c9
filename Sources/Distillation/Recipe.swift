// Recipes: JSON files that say all there is to say about a stage of training.
import Autodiff
import Checkpoints

/// An object of a recipe, read key by key; keys that nothing asks for are errors.
public final class RecipeObject {
    /// The recipe's file and the path of this object in it.
    public let file: String
    private let path: String
    private let configuration: Configuration
    private var used: Set<String> = []

    /// Opens a recipe.
    /// - Throws: `CheckpointError` for a file that is missing or no JSON object.
    public convenience init(path: String) throws {
        self.init(try Configuration(path: path), path: "")
    }

    private init(_ configuration: Configuration, path: String) {
        file = configuration.file
        self.path = path
        self.configuration = configuration
    }

    public func int(
        _ name: String, default fallback: Int? = nil, in range: ClosedRange<Int>
    ) throws -> Int {
        try reading(name) { try configuration.int(name, default: fallback, in: range) }
    }

    public func float(
        _ name: String, default fallback: Double? = nil, in range: ClosedRange<Double>
    ) throws -> Double {
        try reading(name) { try configuration.float(name, default: fallback, in: range) }
    }

    public func bool(_ name: String, default fallback: Bool) throws -> Bool {
        try reading(name) { try configuration.bool(name, default: fallback) }
    }

    public func string(_ name: String, default fallback: String? = nil) throws -> String {
        try reading(name) { try configuration.string(name, default: fallback) }
    }

    public func strings(_ name: String, default fallback: [String] = []) throws -> [String] {
        used.insert(name)
        guard !configuration.isAbsent(name) else { return fallback }
        let values = configuration.fields[name]?.arrayValue?.map(\.stringValue)
        guard let values, !values.contains(nil) else {
            throw invalid(name, "is not a list of strings")
        }
        return values.compactMap { $0 }
    }

    /// The object `name`, empty if there is none.
    public func object(_ name: String) throws -> RecipeObject {
        used.insert(name)
        let fields = configuration.fields[name]
        guard fields == nil || fields?.objectValue != nil else {
            throw invalid(name, "is not an object")
        }
        return RecipeObject(
            Configuration(file: file, fields: fields?.objectValue ?? [:]), path: path + name + ".")
    }

    /// The object `name` as a component's configuration, which has checks of its own.
    ///
    /// - Parameter keys: those that it may have
    public func modelConfiguration(_ name: String, keys: Set<String>) throws -> Configuration {
        used.insert(name)
        guard let fields = configuration.fields[name]?.objectValue else {
            throw invalid(name, "is not an object")
        }
        if let unknown = fields.keys.sorted().first(where: { !keys.contains($0) }) {
            throw unknownKey(
                "\(name).\(unknown)", known: keys.filter { !$0.hasPrefix("_") }.sorted())
        }
        return Configuration(file: "\(file), \(path)\(name)", fields: fields)
    }

    /// Throws if the object has keys that nothing has asked for.
    public func finish() throws {
        if let name = configuration.fields.keys.sorted().first(where: { !used.contains($0) }) {
            throw unknownKey(name, known: used.sorted())
        }
    }

    private func unknownKey(_ name: String, known: [String]) -> TrainingError {
        TrainingError(
            .invalidRecipe, "is not a key of this recipe", at: place(name),
            remedy: "keys here are: \(known.joined(separator: ", "))")
    }

    public func invalid(_ name: String, _ what: String) -> TrainingError {
        TrainingError(
            .invalidRecipe, what, at: place(name), remedy: "see docs/training.md for recipes")
    }

    func place(_ name: String) -> String { "\(file), \"\(path)\(name)\"" }

    private func reading<Value>(_ name: String, _ body: () throws -> Value) throws -> Value {
        used.insert(name)
        do {
            return try body()
        } catch let error as CheckpointError {
            throw invalid(name, error.what)
        }
    }
}

/// What recipes of all stages have in common.
public struct RunSettings: Sendable, Equatable {
    /// The recipe, for messages.
    public var file: String
    /// Everything random in the run follows from it and the step.
    public var seed: UInt64
    public var stepCount: Int
    /// Examples a step.
    public var batchSize: Int
    /// Examples that go through the model together. A step's gradient is the sum over its pieces.
    public var pieceSize: Int
    public var schedule: LearningRateSchedule
    public var optimizer: OptimizerSettings
    /// Steps between lines of the log, checkpoints and sample sheets.
    public var logPeriod: Int
    public var checkpointPeriod: Int
    public var samplePeriod: Int

    public init(_ recipe: RecipeObject) throws {
        file = recipe.file
        seed = UInt64(try recipe.int("seed", default: 1, in: 0...1 << 40))
        stepCount = try recipe.int("steps", in: 1...100_000_000)
        batchSize = try recipe.int("batch", in: 1...65_536)
        pieceSize = try recipe.int("piece", default: 1, in: 1...65_536)
        logPeriod = try recipe.int("log_every", default: 20, in: 1...1_000_000)
        checkpointPeriod = try recipe.int("checkpoint_every", default: 500, in: 1...10_000_000)
        samplePeriod = try recipe.int("sample_every", default: 1000, in: 1...10_000_000)
        if batchSize % pieceSize != 0 {
            throw recipe.invalid("piece", "is \(pieceSize), which does not divide the batch")
        }
        let optimizer = try recipe.object("optimizer")
        var settings = OptimizerSettings()
        settings.rate = Float(try optimizer.float("rate", default: 1e-3, in: 0...10))
        settings.matrixRate = Float(try optimizer.float("matrix_rate", default: 0, in: 0...10))
        settings.beta1 = Float(try optimizer.float("beta1", default: 0.9, in: 0...0.99999))
        settings.beta2 = Float(try optimizer.float("beta2", default: 0.99, in: 0...0.99999))
        settings.weightDecay = Float(try optimizer.float("weight_decay", default: 0, in: 0...10))
        settings.momentum = Float(try optimizer.float("momentum", default: 0.95, in: 0...0.9999))
        settings.gradientLimit = Float(
            try optimizer.float("gradient_limit", default: 1, in: 0...1e9))
        settings.averageDecay = Float(
            try optimizer.float("average_decay", default: 0.999, in: 0...0.999999))
        let warmUp = try optimizer.int("warm_up", default: 100, in: 0...10_000_000)
        let floor = Float(try optimizer.float("rate_floor", default: 0.02, in: 0...1))
        let decay = try optimizer.int("decay", default: 0, in: 0...100_000_000)
        try optimizer.finish()
        self.optimizer = settings
        if warmUp > stepCount {
            throw recipe.invalid("optimizer.warm_up", "is longer than the run")
        }
        if warmUp + decay > stepCount {
            throw recipe.invalid("optimizer.decay", "is longer than what follows the warm-up")
        }
        schedule = LearningRateSchedule(
            warmUpSteps: warmUp, totalSteps: stepCount, floor: floor,
            decaySteps: decay > 0 ? decay : nil)
    }
}
