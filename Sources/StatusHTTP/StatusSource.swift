// What the pages are made from: a snapshot of the queue and what only the process knows.
import QueueCore

/// Everything to show at a moment.
public struct StatusSource: Sendable {
    /// The queue.
    public var queue: QueueSnapshot
    /// The broker's process.
    public var process: ProcessFacts
    /// What a job is about; the queue itself does not read requests. Nil where not known any more.
    public var details: @Sendable (JobID) -> JobDetails?
    /// A small PNG of a finished job; nil where there is none.
    public var thumbnail: @Sendable (JobID) async -> [UInt8]?

    /// Gathers what to show.
    public init(
        queue: QueueSnapshot, process: ProcessFacts,
        details: @escaping @Sendable (JobID) -> JobDetails? = { _ in nil },
        thumbnail: @escaping @Sendable (JobID) async -> [UInt8]? = { _ in nil }
    ) {
        self.queue = queue
        self.process = process
        self.details = details
        self.thumbnail = thumbnail
    }
}

/// What a broker's process knows of itself.
public struct ProcessFacts: Equatable, Sendable {
    /// The program's version.
    public var version: String
    /// The time of asking, on the clock of `QueueSnapshot.at`.
    public var now: Instant
    /// Time since the start.
    public var uptime: TimeSpan
    /// How long the broker's loop has owed an answer to a reader; zero while it turns.
    public var loopSilence = TimeSpan.zero
    /// How long the journal's transactions took.
    public var journalCommits = LatencyHistogram()
    /// Messages not delivered or not understood, by reason: a short name in snake case.
    public var droppedMessages: [String: UInt64] = [:]
    /// The process's resident memory in bytes, where known.
    public var residentBytes: Int64?
    /// Jobs that the queue may hold, where known.
    public var queueCapacity: Int?
    /// Size of the journal's file in bytes, where known.
    public var journalFileBytes: Int64?
    /// When the job that has waited longest was accepted, where known; else it is taken from the
    /// jobs that the snapshot lists.
    public var oldestAcceptedAt: Instant?

    /// States what is known.
    public init(version: String, now: Instant, uptime: TimeSpan) {
        self.version = version
        self.now = now
        self.uptime = uptime
    }
}

/// What a job is about.
public struct JobDetails: Equatable, Sendable {
    /// The prompt, or what stands for it.
    public var prompt: String
    /// Width and height of an image in pixels; nil where the request leaves it open.
    public var width: Int?
    /// See `width`.
    public var height: Int?
    /// The first image's seed, if the client chose one.
    public var seed: UInt64?

    /// Describes a job.
    public init(prompt: String, width: Int? = nil, height: Int? = nil, seed: UInt64? = nil) {
        self.prompt = prompt
        self.width = width
        self.height = height
        self.seed = seed
    }
}

/// How often a latency fell into each of a row of ranges.
public struct LatencyHistogram: Equatable, Sendable {
    /// Upper ends of the ranges in seconds, ascending; one more range is without end.
    public let bounds: [Double]
    /// Latencies within each range, not cumulative.
    public private(set) var counts: [UInt64]
    /// All latencies together, in seconds.
    public private(set) var sumSeconds = 0.0

    /// An empty histogram for transactions on disks.
    public init(
        bounds: [Double] = [
            0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
        ]
    ) {
        self.bounds = bounds.sorted()
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// A histogram that someone else counted: the broker's own.
    /// - Returns: nil if there is not one count a range and one more.
    public init?(bounds: [Double], counts: [UInt64], sumSeconds: Double) {
        guard counts.count == bounds.count + 1, bounds == bounds.sorted() else { return nil }
        self.bounds = bounds
        self.counts = counts
        self.sumSeconds = sumSeconds
    }

    /// Counts a latency.
    public mutating func observe(seconds: Double) {
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        sumSeconds += seconds
    }
}
