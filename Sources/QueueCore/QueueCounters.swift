// Figures that only grow, for the status pages.

/// How often a length of time fell into each of a row of ranges.
public struct TimeHistogram: Equatable, Sendable, Codable {
    /// Upper ends of the ranges; one more range is without end.
    public static let bounds: [TimeSpan] = [
        .milliseconds(5), .milliseconds(20), .milliseconds(100), .milliseconds(500), .seconds(1),
        .seconds(2), .seconds(5), .seconds(10), .seconds(30), .seconds(60), .seconds(120),
        .seconds(300), .seconds(600), .seconds(1800), .seconds(3600), .seconds(4 * 3600),
    ]

    /// Times within each range, not cumulative.
    public private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// All times together.
    public private(set) var sum = TimeSpan.zero
    /// How many there were.
    public var count: UInt64 { counts.reduce(0, +) }

    /// An empty histogram.
    public init() {}

    mutating func observe(_ span: TimeSpan) {
        counts[Self.bounds.firstIndex { span <= $0 } ?? Self.bounds.count] += 1
        sum = sum + span
    }
}

/// What happened since the broker started.
public struct QueueCounters: Equatable, Sendable, Codable {
    /// Jobs accepted.
    public internal(set) var accepted: UInt64 = 0
    /// Jobs ended, by `OutcomeCode.allCases`.
    public internal(set) var outcomes = [UInt64](repeating: 0, count: OutcomeCode.allCases.count)
    /// Submissions refused, by `QueueError.Code.allCases`.
    public internal(set) var refusals = [UInt64](
        repeating: 0, count: QueueError.Code.allCases.count)
    /// Workers lost.
    public internal(set) var workersLost: UInt64 = 0
    /// Jobs that a worker's death or hang interrupted.
    public internal(set) var deaths: UInt64 = 0
    /// Jobs that gave up what was made of them and began again.
    public internal(set) var freshStarts: UInt64 = 0
    /// From acceptance to the first start.
    public internal(set) var waitingTimes = TimeHistogram()
    /// From the last start to completion.
    public internal(set) var runningTimes = TimeHistogram()
}
