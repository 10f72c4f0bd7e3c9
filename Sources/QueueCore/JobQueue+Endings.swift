// How jobs leave: back to the queue, to their end, and out of memory.

extension JobQueue {
    /// Marks a job that lost its worker as waiting again, outside the line.
    mutating func returnToQueue(_ id: JobID, _ effects: inout [QueueEffect]) {
        leased.remove(RankedKey(0, id.number))
        jobs[id].holder = nil
        jobs[id].isReclaimable = false
        jobs[id].wasBlamed = false
        jobs[id].row.state.phase = .waiting
        persist(id, &effects)
    }

    /// Puts a job that lost its worker without fault back into the line.
    mutating func requeue(_ id: JobID, _ effects: inout [QueueEffect]) {
        guard jobs[id].row.state.phase == .leased, jobs[id].parkedUntil == nil else { return }
        returnToQueue(id, &effects)
        enterLine(id, &effects)
        offer(id, &effects)
    }

    /// Keeps a job without a worker out of the line for a while.
    mutating func park(_ id: JobID, for pause: TimeSpan) {
        jobs[id].holder = nil
        if jobs[id].row.state.phase == .leased { jobs[id].isReclaimable = true }
        jobs[id].parkedUntil = now + pause
        arm(id)
    }

    /// Books a worker's death or hang on its job.
    mutating func countDeath(_ id: JobID, _ cause: DeathCause, _ effects: inout [QueueEffect]) {
        counters.deaths += 1
        jobs[id].row.state.deaths += 1
        guard jobs[id].row.state.deaths < limits.deathsPerJob else {
            leased.remove(RankedKey(0, id.number))
            jobs[id].holder = nil
            jobs[id].isReclaimable = false
            return quarantine(id, cause, &effects)
        }
        returnToQueue(id, &effects)
        jobs[id].isReclaimable = cause == .silent
        jobs[id].wasBlamed = true
        enterLine(id, &effects)
        offer(id, &effects)
    }

    /// Ends an unfinished job. This is the only way to an end, and it is taken once.
    mutating func end(_ id: JobID, _ ending: JobEnding, _ effects: inout [QueueEffect]) {
        let job = jobs[id]
        precondition(job.isUnfinished, "a job ends once")
        leaveLine(id)
        if case .quarantined(let quarantine) = job.row.state.phase {
            quarantined.remove(RankedKey(quarantine.since, id))
        }
        leased.remove(RankedKey(0, id.number))
        settle(job)
        jobs[id].holder = nil
        jobs[id].isReclaimable = false
        jobs[id].parkedUntil = nil
        jobs[id].abandonAt = nil
        jobs[id].row.submission.payload = []
        jobs[id].row.state.phase = .ended(ending)
        jobs[id].row.state.endedAt = now
        jobs[id].row.state.resume = nil
        jobs[id].row.state.origin = nil
        persist(id, &effects)
        if let holder = job.holder {
            let isLate = ending.code == .deadlineExceeded
            revoke(job.lease, at: holder, isLate ? .deadlineExceeded : .cancelled, &effects)
        }
        dismissWatchers(id, .ended(id, ending, history(of: jobs[id])), &effects)
        if let blob = job.row.state.resume?.blob { effects.append(.discardBlob(blob)) }
        counters.outcomes[ending.code.position] += 1
        keepOutcome(id, ending, &effects)
    }

    /// Takes a job off the accounts of the unfinished.
    private mutating func settle(_ job: Job) {
        unfinished -= 1
        payloadBytes -= job.row.submission.payload.count
        clients[job.owner].unfinished -= 1
        if job.row.state.attempt == 0 {
            let priority = job.row.submission.priority.rawValue
            clients[job.owner].finishTags[priority] -= job.shape.workUnits
        }
        if let last = lastEnding {
            let gap = min(now - last, .seconds(60))
            let smoothed = endingInterval.microseconds / 10 * 9 + gap.microseconds / 10
            endingInterval = TimeSpan(microseconds: smoothed)
        }
        lastEnding = now
    }

    /// Keeps an outcome for its time, unless newer ones need its place.
    mutating func keepOutcome(_ id: JobID, _ ending: JobEnding, _ effects: inout [QueueEffect]) {
        var bytes: Int64 = 0
        if case .completed(let result) = ending { bytes = result.byteCount }
        let moment = jobs[id].row.state.endedAt ?? now
        results.insert(RankedKey(moment, id), weight: min(bytes, limits.resultBytes + 1))
        arm(id)
        while results.count > limits.results || results.totalWeight > limits.resultBytes,
            let oldest = results.first
        {
            expire(JobID(number: oldest.minor), &effects)
        }
    }

    /// Lets an outcome go; that it existed stays known for a while.
    mutating func expire(_ id: JobID, _ effects: inout [QueueEffect]) {
        guard case .ended(let ending) = jobs[id].row.state.phase else { return }
        results.remove(RankedKey(jobs[id].row.state.endedAt ?? now, id))
        jobs[id].row.state.phase = .expired
        jobs[id].row.state.endedAt = now
        persist(id, &effects)
        if case .completed(let result) = ending { effects.append(.discardBlob(result.blob)) }
        tombstones.insert(RankedKey(now, id))
        arm(id)
        while tombstones.count > limits.tombstones, let oldest = tombstones.first {
            forget(JobID(number: oldest.minor), &effects)
        }
    }

    /// Removes the last trace of a job.
    mutating func forget(_ id: JobID, _ effects: inout [QueueEffect]) {
        let job = jobs[id]
        tombstones.remove(RankedKey(job.row.state.endedAt ?? now, id))
        if let timer = job.timerAt { timers.remove(RankedKey(timer, id)) }
        requests[RequestKey(client: job.owner, request: job.row.submission.request)] = nil
        owned.remove(RankedKey(Int64(bitPattern: job.owner), id.number))
        clients.removeJob(job.owner, at: now)
        jobs.remove(id)
        effects.append(.store(.forgotten(id)))
    }
}

extension OutcomeCode {
    /// Its index among all codes, for counters.
    var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
