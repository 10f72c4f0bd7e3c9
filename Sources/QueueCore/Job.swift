// A job in memory: its durable row and what a restart may forget.

/// A client's connection that follows a job.
struct Watcher: Sendable {
    var connection: ConnectionID
    var tag: UInt64
    var wantsProgress: Bool
    var wantsPreviews: Bool

    init(_ requester: Requester) {
        connection = requester.connection
        tag = requester.tag
        wantsProgress = requester.wantsProgress
        wantsPreviews = requester.wantsPreviews
    }
}

struct Job: Sendable {
    var row: DurableJob
    /// The owner's number in the client table.
    let owner: UInt64
    /// Its place in the line, while it stands there.
    var ticket: Ticket?
    /// Its fair turn, given once.
    var startTag: Int64
    /// The worker that computes it.
    var holder: WorkerID?
    /// Until when it keeps out of the line.
    var parkedUntil: Instant?
    /// Whether its last worker, lost since, may have it back under the same attempt.
    var isReclaimable = false
    /// Whether that loss stands as a death on its account, to be taken back.
    var wasBlamed = false
    var watchers: [Watcher] = []
    /// When it is given up for lack of watchers.
    var abandonAt: Instant?
    /// Until when, in the line, it waits for a worker of the kind that began it.
    var startOverAt: Instant?
    /// Its key in the timers.
    var timerAt: Instant?
    /// The last step told to the watchers.
    var step = 0

    var id: JobID { row.id }
    var shape: JobShape { row.submission.shape }

    var isUnfinished: Bool {
        switch row.state.phase {
        case .waiting, .leased, .quarantined: true
        case .ended, .expired: false
        }
    }

    var lease: LeaseID { LeaseID(job: row.id, attempt: row.state.attempt) }

    /// When something about it falls due by itself.
    func nextMoment(_ limits: QueueLimits) -> Instant? {
        let since = row.state.endedAt ?? row.acceptedAt
        switch row.state.phase {
        case .waiting, .leased:
            let patience = ticket == nil ? nil : startOverAt
            let moments = [row.submission.deadline, abandonAt, parkedUntil, patience]
            return moments.compactMap { $0 }.min()
        case .quarantined(let quarantine): return quarantine.since + limits.quarantineLifetime
        case .ended: return since + limits.resultLifetime
        case .expired: return since + limits.tombstoneLifetime
        }
    }
}

/// All remembered jobs, in slots, so that one can be changed in place.
struct JobTable: Sendable {
    private var slots: ContiguousArray<Job?> = []
    private var free: ContiguousArray<Int32> = []
    private var index: [JobID: Int32] = [:]

    var count: Int { index.count }

    func find(_ id: JobID) -> Job? {
        guard let slot = index[id] else { return nil }
        return slots[Int(slot)]
    }

    func contains(_ id: JobID) -> Bool { index[id] != nil }

    /// A job that must be there.
    subscript(id: JobID) -> Job {
        get { slots[slot(of: id)]! }
        _modify { yield &slots[slot(of: id)]! }
    }

    mutating func insert(_ job: Job) {
        if let slot = free.popLast() {
            slots[Int(slot)] = job
            index[job.id] = slot
        } else {
            slots.append(job)
            index[job.id] = Int32(slots.count - 1)
        }
    }

    mutating func remove(_ id: JobID) {
        guard let slot = index.removeValue(forKey: id) else { return }
        slots[Int(slot)] = nil
        free.append(slot)
    }

    private func slot(of id: JobID) -> Int {
        guard let slot = index[id] else {
            preconditionFailure("job \(id.number) is in the table")
        }
        return Int(slot)
    }
}
