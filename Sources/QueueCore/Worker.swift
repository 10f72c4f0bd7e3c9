// A connected worker as the queue sees it.

/// A lease in a worker's hands, as far as the queue knows.
struct GrantedLease: Sendable {
    let id: LeaseID
    let shape: JobShape
    let tier: Int
    /// Taken back, but its slot is not known to be free yet.
    var isRevoked = false
    let grantedAt: Instant
    /// When it last got further.
    var advancedAt: Instant
    /// The last step seen, in a report or a heartbeat.
    var step: Int
    /// Time and number of the steps measured.
    var measuredSpan = TimeSpan.zero
    var measuredSteps = 0
    /// Whether its whole run was seen, so that it can be measured.
    var isWhole: Bool
    /// Whether the next step's time is a step's alone.
    var isStepClean = false
}

struct Worker: Sendable {
    let id: WorkerID
    var description: WorkerDescription
    /// How many pixel tiers it serves.
    var tiers: Int
    var sequence: UInt64
    var heardAt: Instant
    var isReady: Bool
    var isDraining: Bool
    var residentBytes: Int64
    var model: CostModel
    var leases: [GrantedLease] = []
    /// Errors since the last success, and the pause they cost.
    var errorsInARow = 0
    var pausedUntil: Instant?
    /// Its key in the timers.
    var timerAt: Instant?
    /// Its presence in the set of workers with a free slot.
    var isFree = false
    var finishedJobs = 0

    /// Whether it may get a job now.
    var canTakeMore: Bool {
        isReady && !isDraining && pausedUntil == nil && leases.count < description.slots
    }

    mutating func take(_ heartbeat: Heartbeat, at now: Instant) {
        sequence = heartbeat.sequence
        heardAt = now
        isReady = heartbeat.isReady
        isDraining = heartbeat.isDraining
        residentBytes = max(0, heartbeat.residentBytes)
    }

    func leaseIndex(_ id: LeaseID) -> Int? { leases.firstIndex { $0.id == id } }
}
