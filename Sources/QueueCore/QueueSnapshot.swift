// What a status page shows: plain values, cut to a size.

/// The state of a queue at a moment.
public struct QueueSnapshot: Equatable, Sendable, Codable {
    /// When.
    public var at: Instant
    /// Jobs in the line, by `Priority.rawValue`.
    public var waiting: [Int]
    /// Jobs that pause after an error, or wait for their worker after a restart.
    public var parked: Int
    /// Jobs with a worker.
    public var running: Int
    /// Jobs in quarantine.
    public var quarantined: Int
    /// Outcomes kept, and their bytes.
    public var results: Int
    /// See `results`.
    public var resultBytes: Int64
    /// Payload bytes of unfinished jobs.
    public var payloadBytes: Int
    /// Connections attached to jobs.
    public var watches: Int
    /// Whether the journal can be written.
    public var isJournalAvailable: Bool
    /// All workers, in order of connection.
    public var workers: [WorkerReport]
    /// The next jobs of each lane and priority, and the running ones, cut to the size asked for.
    public var waitingJobs: [JobReport]
    /// See `waitingJobs`.
    public var runningJobs: [JobReport]
    /// Jobs in quarantine, those of longest standing first.
    public var quarantinedJobs: [JobReport]
    /// The latest outcomes, newest last.
    public var endedJobs: [JobReport]
    /// Figures since the start.
    public var counters: QueueCounters
}

/// A job on a status page.
public struct JobReport: Equatable, Sendable, Codable {
    /// The job.
    public var id: JobID
    /// Its owner.
    public var client: ClientID
    /// The owner's key for it.
    public var request: RequestID
    /// Its size.
    public var shape: JobShape
    /// How urgent it is.
    public var priority: Priority
    /// When it was accepted.
    public var acceptedAt: Instant
    /// The last step told.
    public var step: Int
    /// Where in its life it is, with errors, deaths, attempts and worker.
    public var state: JobState
    /// Place and times, while it waits or runs.
    public var estimate: JobEstimate?
}

/// A worker on a status page.
public struct WorkerReport: Equatable, Sendable, Codable {
    /// Its connection.
    public var id: WorkerID
    /// What it said of itself.
    public var description: WorkerDescription
    /// Time since its last heartbeat.
    public var silence: TimeSpan
    /// Whether it takes jobs.
    public var isReady: Bool
    /// Whether it drains.
    public var isDraining: Bool
    /// Until when it pauses after errors.
    public var pausedUntil: Instant?
    /// Its resident memory in bytes.
    public var residentBytes: Int64
    /// Its current leases.
    public var leases: [HeldLease]
    /// Slots still busy with leases taken back.
    public var revokedLeases: Int
    /// Its measured times.
    public var costs: CostModel
    /// Jobs it completed.
    public var finishedJobs: Int
}

extension JobQueue {
    /// The state now, with at most `jobLimit` jobs in each list.
    public func snapshot(jobLimit: Int = 100) -> QueueSnapshot {
        var held = 0
        var workerReports: [WorkerReport] = []
        for key in keys(workerOrder, limit: .max) {
            guard let worker = workers[WorkerID(number: key.minor)] else { continue }
            let report = report(on: worker)
            held += report.leases.count
            workerReports.append(report)
        }
        let running = keys(leased, limit: jobLimit).map {
            report(on: jobs[JobID(number: $0.minor)])
        }
        let guarded = keys(self.quarantined, limit: jobLimit).map {
            report(on: jobs[JobID(number: $0.minor)])
        }
        let ended = lastResults(jobLimit).map { report(on: jobs[JobID(number: $0.minor)]) }
        return QueueSnapshot(
            at: now, waiting: Priority.allCases.map { line.count($0) },
            parked: unfinished - line.count - held - quarantined.count, running: held,
            quarantined: quarantined.count, results: results.count,
            resultBytes: results.totalWeight, payloadBytes: payloadBytes, watches: watches.count,
            isJournalAvailable: isJournalAvailable, workers: workerReports,
            waitingJobs: nextJobs(jobLimit), runningJobs: running, quarantinedJobs: guarded,
            endedJobs: ended, counters: counters)
    }

    /// A job's report; nil where the queue does not remember it.
    public func report(on id: JobID) -> JobReport? { jobs.find(id).map { report(on: $0) } }

    /// A client's jobs with ids above `last`, ascending, at most `limit`.
    public func jobs(of client: ClientID, after last: JobID?, limit: Int) -> [JobReport] {
        guard let owner = clients.number(of: client) else { return [] }
        let major = Int64(bitPattern: owner)
        var key = RankedKey(major, last?.number ?? 0)
        var reports: [JobReport] = []
        while reports.count < limit, let next = owned.next(after: key), next.major == major {
            reports.append(report(on: jobs[JobID(number: next.minor)]))
            key = next
        }
        return reports
    }

    func report(on job: Job) -> JobReport {
        let isActive: Bool
        switch job.row.state.phase {
        case .waiting, .leased: isActive = true
        case .quarantined, .ended, .expired: isActive = false
        }
        return JobReport(
            id: job.id, client: job.row.client, request: job.row.submission.request,
            shape: job.shape, priority: job.row.submission.priority,
            acceptedAt: job.row.acceptedAt, step: job.step, state: job.row.state,
            estimate: isActive ? estimate(of: job) : nil)
    }

    private func report(on worker: Worker) -> WorkerReport {
        let current = worker.leases.filter { !$0.isRevoked }
        return WorkerReport(
            id: worker.id, description: worker.description, silence: now - worker.heardAt,
            isReady: worker.isReady, isDraining: worker.isDraining,
            pausedUntil: worker.pausedUntil, residentBytes: worker.residentBytes,
            leases: current.map { HeldLease(lease: $0.id, step: $0.step) },
            revokedLeases: worker.leases.count - current.count, costs: worker.model,
            finishedJobs: worker.finishedJobs)
    }

    private func keys(_ set: RankedSet, limit: Int) -> [RankedKey] {
        var keys: [RankedKey] = []
        var next = set.first
        while let key = next, keys.count < limit {
            keys.append(key)
            next = set.next(after: key)
        }
        return keys
    }

    private func lastResults(_ limit: Int) -> [RankedKey] {
        guard let cut = results.key(at: max(0, results.count - limit)) else { return [] }
        var keys = [cut]
        while let key = results.next(after: keys[keys.count - 1]) { keys.append(key) }
        return keys
    }

    private func nextJobs(_ limit: Int) -> [JobReport] {
        var found: [JobReport] = []
        for priority in 0..<Priority.allCases.count {
            var candidates: [RankedKey] = []
            for lane in line.lanes { candidates += keys(lane.turns[priority], limit: limit) }
            for key in candidates.sorted().prefix(limit - found.count) {
                found.append(report(on: jobs[JobID(number: key.minor)]))
            }
        }
        return found
    }
}
