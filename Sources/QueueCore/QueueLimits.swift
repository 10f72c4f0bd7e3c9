// Every bound and every period of the queue in one place.

/// The queue's configuration. All sizes that a peer can grow are bounded here.
public struct QueueLimits: Equatable, Sendable, Codable {
    // Sizes.

    /// Jobs accepted and not ended, quarantined ones included.
    public var jobs = 200_000
    /// Payload bytes of those jobs together.
    public var payloadBytes = 256 << 20
    /// Payload bytes of one job.
    public var payloadBytesPerJob = 64 << 10
    /// UTF-8 bytes of a name, key or hash from a peer.
    public var nameBytes = 128
    /// Bytes of an error message from a worker that are kept.
    public var messageBytes = 512
    /// Pixels of one image.
    public var pixels = 4096 * 4096
    /// Steps an image.
    public var steps = 200
    /// Images a job.
    public var images = 64
    /// Distinct clients remembered.
    public var clients = 20_000
    /// Distinct combinations of model, numerics class and pixel tier waiting at once.
    public var lanes = 128
    /// Connected workers.
    public var workers = 1_024
    /// Slots a worker may announce; also bounds the leases in a heartbeat.
    public var slotsPerWorker = 16
    /// Models a worker may announce.
    public var modelsPerWorker = 16
    /// Connections attached to one job; the oldest makes way.
    public var watchersPerJob = 8
    /// Ended jobs whose outcome is kept.
    public var results = 100_000
    /// Bytes of kept results.
    public var resultBytes: Int64 = 8 << 30
    /// Jobs of which only the fact that they expired is kept.
    public var tombstones = 100_000
    /// Jobs in quarantine; the oldest is discarded for a new one.
    public var quarantined = 1_000
    /// Timers and departures handled in one `timePassed`; the rest is due at once again.
    public var workPerTick = 1_000

    // Fairness.

    /// Upper ends of the pixel tiers, ascending. A worker serves the tiers that lie wholly within
    /// its largest image, so announce sizes from this list.
    public var pixelTiers = [
        256 * 256, 512 * 512, 768 * 768, 1024 * 1024, 1536 * 1536, 2048 * 2048, 4096 * 4096,
    ]
    /// After this long in the queue a job of that priority is overdue, by `Priority.rawValue`.
    public var overdueAfter: [TimeSpan] = [.seconds(60), .seconds(120), .seconds(300)]
    /// An overdue job is passed over at most this many times for each older one dispatched.
    public var passesBeforeOverdue = 3

    // Periods.

    /// Silence after which a worker is lost: three heartbeats of one second.
    public var workerSilence = TimeSpan.seconds(3)
    /// How long a granted lease may be missing from heartbeats before it counts as never arrived.
    public var leaseArrival = TimeSpan.seconds(3)
    /// No step for this many times the expected time of a step: hung.
    public var hangFactor = 10.0
    /// Bounds of the hang limit; the upper one holds for a worker that was never measured.
    public var hangShortest = TimeSpan.seconds(30)
    /// See `hangShortest`.
    public var hangLongest = TimeSpan.seconds(900)
    /// How long leases wait, after a restart of the broker, for the workers that hold them.
    public var reclaimGrace = TimeSpan.seconds(5)
    /// How long a job outlives its last attached client without being detached.
    public var abandonGrace = TimeSpan.seconds(5)
    /// The same after a restart of the broker, when all clients must come back.
    public var reattachGrace = TimeSpan.seconds(60)
    /// How long a job that was begun waits for a worker of the kind that began it, when none is
    /// registered, before it starts over with another kind.
    public var originGrace = TimeSpan.seconds(60)
    /// First pause after a retriable error; doubles with each.
    public var retryPause = TimeSpan.seconds(1)
    /// Longest pause after errors, for jobs and workers.
    public var retryPauseLongest = TimeSpan.seconds(60)
    /// How long outcomes are kept.
    public var resultLifetime = TimeSpan.seconds(24 * 3600)
    /// How long, after that, the answer is "expired" before it becomes "unknown".
    public var tombstoneLifetime = TimeSpan.seconds(7 * 24 * 3600)
    /// How long a job stays in quarantine before it is discarded.
    public var quarantineLifetime = TimeSpan.seconds(7 * 24 * 3600)

    // Retries.

    /// Retriable errors after which a job fails.
    public var errorsPerJob = 3
    /// Worker deaths and hangs after which a job is quarantined.
    public var deathsPerJob = 3

    /// The defaults.
    public init() {}

    /// The index of the smallest tier that holds an image of `pixels`; the number of tiers if none.
    func tier(holding pixels: Int) -> Int {
        pixelTiers.firstIndex { pixels <= $0 } ?? pixelTiers.count
    }

    /// How many tiers lie wholly within images of `pixels`.
    func tiers(within pixels: Int) -> Int {
        pixelTiers.firstIndex { pixels < $0 } ?? pixelTiers.count
    }
}
