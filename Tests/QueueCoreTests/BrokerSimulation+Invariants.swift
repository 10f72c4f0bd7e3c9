// What must hold at every moment, seen from outside by an observer who forgets nothing.

@testable import QueueCore

/// What has become durable and what was said aloud, over all lives of the broker.
struct SimulationObserver {
    struct Ledger {
        var attempt: UInt32 = 0
        var ending: JobEnding?
        var isExpired = false
        var isForgotten = false
    }

    var violations: [String] = []
    var ledger: [JobID: Ledger] = [:]
    /// To whom each lease was sent.
    var leases: [LeaseID: String] = [:]
    /// From which lease each result came.
    var origins: [BlobHandle: LeaseID] = [:]
    /// What was asked for.
    var shapes: [JobID: JobShape] = [:]
    /// Who made the latents of each resume point, and each image of each result.
    var parts: [BlobHandle: Set<WorkOrigin>] = [:]
    var results: [BlobHandle: [Int: Set<WorkOrigin>]] = [:]
    var freshStarts = 0
    /// Younger and older jobs dispatched while a job was overdue, by capable workers.
    var passed: [JobID: (younger: Int, older: Int)] = [:]
    /// All workers that ever registered.
    var workers: [WorkerID: WorkerDescription] = [:]
    /// The queue's jobs by request, as its effects tell.
    var requests: [RequestID: JobID] = [:]
    var outcomes: [OutcomeCode: Int] = [:]
    var acceptedCount = 0
    var recoveries = 0

    /// A new life of the broker starts from what is on disk.
    mutating func restart(from snapshot: JournalSnapshot) {
        passed = [:]
        recoveries += 1
        requests = [:]
        for job in snapshot.jobs { requests[job.submission.request] = job.id }
    }
}

extension BrokerSimulation {
    /// After every event: bounds, nobody idle beside work, the starvation bound.
    func observe(_ event: QueueEvent, _ effects: [QueueEffect]) {
        func bound(_ name: StaticString, _ count: Int, _ limit: Int) {
            if count > limit || count < 0 { violate("\(count) \(name), the limit is \(limit)") }
        }
        bound("jobs", queue.unfinished, limits.jobs)
        bound("results", queue.results.count, limits.results)
        bound("tombstones", queue.tombstones.count, limits.tombstones)
        bound("quarantined", queue.quarantined.count, limits.quarantined)
        bound("clients", queue.clients.count, limits.clients + limits.jobs)
        bound("lanes", queue.line.lanes.count, limits.lanes * 4)
        if queue.results.totalWeight > limits.resultBytes { violate("result bytes over the limit") }
        if queue.line.count > queue.unfinished { violate("more waiting than unfinished") }
        for worker in queue.workers.values where worker.canTakeMore && !queue.owesDispatch {
            let choice = queue.line.choose(
                for: worker.description, tiers: worker.tiers, at: queue.now)
            if let choice {
                violate("\(worker.description.name) idles beside job \(choice.number)")
            }
        }
        if case .workerRegistered(let id, let description, _) = event {
            observer.workers[id] = description
        }
        // In another lane its passes are counted anew.
        if case .shapeLearned(let id, _) = event { observer.passed[id] = nil }
        for case .store(.startedOver(let id, _)) in effects {
            // It stands in another lane from now on.
            observer.passed[id] = nil
        }
        let before = observer.passed
        for effect in effects {
            switch effect {
            case .sendLease(let id, let lease): observeDispatch(lease.id.job, id, before)
            case .store(.accepted(let job)):
                observer.requests[job.submission.request] = job.id
            case .store(.forgotten(let id)):
                observer.requests = observer.requests.filter { $0.value != id }
            case .reply(_, _, .refused(let error)) where error.code == .unknownJob:
                checkUnknown(event)
            default: break
            }
        }
    }

    /// "Unknown" may only be said of what was never accepted, or is forgotten.
    private func checkUnknown(_ event: QueueEvent) {
        switch event {
        case .attachRequested(.request(let request), by: _),
            .cancelRequested(.request(let request), by: _):
            if let job = observer.requests[request] { violate("job \(job.number) is unknown") }
        default: break
        }
    }

    private func observeDispatch(
        _ id: JobID, _ workerID: WorkerID, _ before: [JobID: (younger: Int, older: Int)]
    ) {
        guard let worker = observer.workers[workerID], let job = queue.jobs.find(id) else {
            return violate("a lease for nobody, or for no job")
        }
        let tiers = limits.tiers(within: worker.pixels)
        let priority = job.row.submission.priority.rawValue
        let age = RankedKey(job.row.acceptedAt + limits.overdueAfter[priority], id)
        var stillThere: [JobID: (younger: Int, older: Int)] = [:]
        for lane in queue.line.lanes {
            var next = lane.ages.first
            let isCapable = lane.requirement.isMet(by: worker, tiers: tiers)
            while let key = next, key.major <= queue.now.microseconds {
                let waiting = JobID(number: key.minor)
                // A job counts after the first event that found it overdue in the line.
                var seen = observer.passed[waiting] ?? (0, 0)
                if isCapable && before[waiting] != nil {
                    if age < key { seen.older += 1 } else { seen.younger += 1 }
                }
                if seen.younger > limits.passesBeforeOverdue * (seen.older + 1) {
                    violate("job \(waiting.number) starves: passed over \(seen.younger) times")
                }
                stillThere[waiting] = seen
                next = lane.ages.next(after: key)
            }
        }
        observer.passed = stillThere
    }

    /// When an entry becomes durable: a job ends once, and only by its last attempt's word.
    func observeStore(_ entry: JournalEntry) {
        switch entry {
        case .accepted(let job):
            observer.shapes[job.id] = job.submission.shape
            // A row is replaced before its first attempt, and only then.
            if let entry = observer.ledger[job.id] {
                if entry.attempt > 0 || entry.ending != nil {
                    violate("job \(job.id.number) accepted twice")
                }
                return
            }
            observer.acceptedCount += 1
            observer.ledger[job.id] = SimulationObserver.Ledger()
        case .changed(let id, let state), .startedOver(let id, let state):
            if case .startedOver = entry {
                images[id] = nil
                observer.freshStarts += 1
            }
            guard var entry = observer.ledger[id] else {
                return violate("job \(id.number) changed before it was accepted")
            }
            if state.attempt < entry.attempt { violate("job \(id.number): attempts went back") }
            entry.attempt = state.attempt
            switch state.phase {
            case .ended(let ending):
                if entry.ending != nil { violate("job \(id.number) ended twice") }
                entry.ending = ending
                observer.outcomes[ending.code, default: 0] += 1
                if case .completed(let result) = ending {
                    checkOrigin(result, id, state)
                    checkParts(result, id)
                }
                images[id] = nil
            case .expired:
                if entry.ending == nil { violate("job \(id.number) expired before its end") }
                entry.isExpired = true
            case .waiting, .leased, .quarantined:
                if entry.ending != nil { violate("job \(id.number) lives after its end") }
            }
            observer.ledger[id] = entry
        case .forgotten(let id):
            if observer.ledger[id]?.isExpired != true {
                violate("job \(id.number) forgotten early")
            }
            observer.ledger[id]?.isForgotten = true
        }
    }

    /// All of a result comes from workers of one kind.
    private func checkParts(_ result: ResultSummary, _ id: JobID) {
        let parts = observer.results.removeValue(forKey: result.blob) ?? [:]
        let makers = parts.values.reduce(into: Set<WorkOrigin>()) { $0.formUnion($1) }
        if parts.count != observer.shapes[id]?.images {
            violate("job \(id.number): \(parts.count) images")
        }
        if makers.count != 1 {
            violate("job \(id.number) comes from \(makers.count) kinds of workers")
        }
    }

    private func checkOrigin(_ result: ResultSummary, _ id: JobID, _ state: JobState) {
        let current = LeaseID(job: id, attempt: state.attempt)
        guard observer.origins[result.blob] == current else {
            return violate("job \(id.number) took the result of another attempt")
        }
    }

    /// When an effect leaves the broker: nothing is said that is not durable.
    func observePerformed(_ effect: QueueEffect) {
        switch effect {
        case .reply(_, _, .accepted(let id, _)):
            if observer.ledger[id] == nil { violate("job \(id.number) acknowledged, not stored") }
        case .reply(_, _, .ended(let id, let ending, _)):
            if observer.ledger[id]?.ending != ending { violate("job \(id.number): unstored end") }
        case .sendLease(let worker, let lease):
            let name = simulatedWorkers.first { $0.id == worker }?.name ?? "gone"
            if observer.leases[lease.id] != nil {
                violate("lease \(lease.id) given out twice")
            }
            if observer.ledger[lease.id.job]?.attempt ?? 0 < lease.id.attempt {
                violate("lease \(lease.id) sent, not stored")
            }
            observer.leases[lease.id] = name
        default: break
        }
    }

    /// The slow checks: memory equals journal, counts equal what they count, no blob leaks.
    func audit() {
        var expected: Set<UInt64> = []
        var unfinished = 0
        var bytes = 0
        var tickets = 0
        var watches = 0
        for id in observer.ledger.keys {
            guard let job = queue.jobs.find(id) else { continue }
            if job.isUnfinished { unfinished += 1 }
            bytes += job.isUnfinished ? job.row.submission.payload.count : 0
            if job.ticket != nil { tickets += 1 }
            watches += job.watchers.count
            if let blob = job.row.state.resume?.blob { expected.insert(blob.number) }
            if case .ended(.completed(let result)) = job.row.state.phase {
                expected.insert(result.blob.number)
            }
            if let holder = job.holder, queue.workers[holder]?.leaseIndex(job.lease) == nil {
                violate("job \(id.number) is held by a worker that does not know")
            }
        }
        checkHolders()
        if turn.isEmpty {
            checkJournal()
            if expected != blobs { violate("blobs \(blobs) kept, \(expected) needed") }
        }
        let sums = [
            (unfinished, queue.unfinished), (bytes, queue.payloadBytes),
            (tickets, queue.line.count), (watches, queue.watches.count),
        ]
        if turn.isEmpty, sums.contains(where: { $0.0 != $0.1 }) { violate("sums differ: \(sums)") }
        if queue.snapshot(jobLimit: 3).parked < 0 { violate("fewer parked than none") }
    }

    /// No job is in two hands: each lease that counts is its job's, and its job names the worker.
    private func checkHolders() {
        var holders: [JobID: WorkerID] = [:]
        for worker in queue.workers.values {
            for lease in worker.leases where !lease.isRevoked {
                if holders.updateValue(worker.id, forKey: lease.id.job) != nil {
                    violate("job \(lease.id.job.number) is held twice")
                }
                let job = queue.jobs.find(lease.id.job)
                if job?.holder != worker.id || job?.lease != lease.id {
                    violate("lease \(lease.id) is held beside its job's")
                }
            }
        }
    }

    /// After all faults have ended: whatever was accepted has come to its one end.
    func checkEverythingEnded() {
        for (id, entry) in observer.ledger where entry.ending == nil {
            violate("job \(id.number) was accepted and never ended")
        }
        let ends = observer.outcomes.values.reduce(0, +)
        if ends != observer.acceptedCount {
            violate("\(observer.acceptedCount) jobs were accepted, \(ends) ended")
        }
    }

    private func checkJournal() {
        let rows = journal.snapshot.jobs
        if rows.count != queue.jobs.count {
            violate("\(rows.count) rows, \(queue.jobs.count) jobs")
        }
        for row in rows where queue.jobs.find(row.id)?.row != row {
            violate("job \(row.id.number) differs from its row")
        }
        for (id, entry) in observer.ledger where !entry.isForgotten && !queue.jobs.contains(id) {
            violate("job \(id.number) is lost")
        }
        observer.ledger = observer.ledger.filter { !$0.value.isForgotten || $0.key.number % 8 == 0 }
    }
}
