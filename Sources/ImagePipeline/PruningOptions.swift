// What a caller can ask of dynamic attention pruning.

/// How heads are judged idle.
///
/// A head whose attention weights have a mean entropy at or below the threshold looks at next to one
/// token whatever the query. Such heads are skipped until they are judged again.
public struct PruningOptions: Sendable, Equatable {
    /// The bound on idle heads' entropy.
    public enum Criterion: Sendable, Equatable {
        /// Entropy in nats at or below which a head is idle.
        case threshold(Float)
        /// The share of heads, those of the lowest entropies, that is idle.
        case share(Float)
    }

    public var criterion: Criterion
    /// Heads are judged at step 0 and every so many steps; at those steps all of them run.
    public var judgingInterval: Int

    public static let defaultThreshold: Float = 0.1
    public static let defaultJudgingInterval = 8

    public init(
        criterion: Criterion = .threshold(defaultThreshold),
        judgingInterval: Int = defaultJudgingInterval
    ) {
        self.criterion = criterion
        self.judgingInterval = judgingInterval
    }

    func validate() throws {
        switch criterion {
        case .threshold(let value):
            try GenerationRequest.validate(value, 0...100, "prune threshold")
        case .share(let value):
            try GenerationRequest.validate(value, 0...1, "prune share")
        }
        try GenerationRequest.validate(judgingInterval, 1...1000, "prune interval")
    }
}
