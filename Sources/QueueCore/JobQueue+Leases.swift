// Giving jobs to workers, and what comes back. Whatever carries an old attempt is refused here.

extension JobQueue {
    /// Gives a worker what it can take, and keeps the set of free workers right.
    mutating func offerWork(to id: WorkerID, _ effects: inout [QueueEffect]) {
        var rejections = 0
        while isJournalAvailable, let worker = workers[id], worker.canTakeMore,
            let job = line.choose(for: worker.description, tiers: worker.tiers, at: now)
        {
            if isHopeless(job) {
                rejections += 1
                failDeadline(job, &effects)
                guard rejections < limits.workPerTick else {
                    owesDispatch = true
                    break
                }
            } else {
                grant(job, to: worker, &effects)
            }
        }
        guard let worker = workers[id], worker.isFree != worker.canTakeMore else { return }
        workers[id]?.isFree = worker.canTakeMore
        let key = RankedKey(0, id.number)
        if worker.canTakeMore { freeWorkers.insert(key) } else { freeWorkers.remove(key) }
    }

    /// Gives a job that has just entered the line to the fastest free worker that can take it.
    mutating func offer(_ id: JobID, _ effects: inout [QueueEffect]) {
        guard let job = jobs.find(id), job.ticket != nil else { return }
        let needed = requirement(of: job)
        var best: (worker: WorkerID, cost: Double)?
        var next = freeWorkers.first
        while let key = next {
            if let worker = workers[WorkerID(number: key.minor)], worker.canTakeMore,
                needed.isMet(by: worker.description, tiers: worker.tiers)
            {
                let cost = worker.model.unitCost(tier: needed.tier) ?? 0
                if best.map({ cost < $0.cost }) ?? true { best = (worker.id, cost) }
            }
            next = freeWorkers.next(after: key)
        }
        if let best { offerWork(to: best.worker, &effects) }
    }

    /// Whether not even the fastest worker could meet a job's deadline any more.
    private mutating func isHopeless(_ id: JobID) -> Bool {
        guard let deadline = jobs[id].row.submission.deadline else { return false }
        let job = jobs[id]
        let needed = requirement(of: job)
        let done = job.row.state.resume?.step ?? 0
        let time = capacity(for: needed).runTime(job.shape, tier: needed.tier, done: done)
        return now + (time ?? .zero) > deadline || deadline <= now
    }

    mutating func failDeadline(_ id: JobID, _ effects: inout [QueueEffect]) {
        var message = "The job could not be finished before its deadline."
        if case .waiting = jobs[id].row.state.phase,
            let hold = holdReason(requirement(of: jobs[id].row.submission))
        {
            message += " " + hold.sentence
        }
        let failure = JobFailure(code: .deadlineExceeded, workerCode: nil, message: message)
        end(id, .failed(failure), &effects)
    }

    private mutating func grant(
        _ id: JobID, to worker: Worker, _ effects: inout [QueueEffect]
    ) {
        guard let ticket = jobs[id].ticket else { return }
        line.dispatch(ticket, to: worker.description, tiers: worker.tiers, at: now)
        jobs[id].ticket = nil
        if jobs[id].row.state.attempt == 0 {
            counters.waitingTimes.observe(now - jobs[id].row.acceptedAt)
        }
        jobs[id].row.state.attempt += 1
        jobs[id].row.state.phase = .leased
        jobs[id].row.state.worker = worker.description.name
        jobs[id].row.state.startedAt = now
        persist(id, &effects)
        leased.insert(RankedKey(0, id.number))
        let job = jobs[id]
        hold(job.lease, at: worker.id, step: job.row.state.resume?.step ?? 0, isWhole: true)
        effects.append(
            .sendLease(
                worker.id,
                Lease(
                    id: job.lease, payload: job.row.submission.payload,
                    deadline: job.row.submission.deadline, resume: job.row.state.resume)))
    }

    /// The place of a lease at its worker, if it is current there; reclaims it if it may.
    mutating func current(
        _ id: WorkerID, _ lease: LeaseID, _ effects: inout [QueueEffect]
    ) -> Int? {
        guard let worker = workers[id] else {
            effects.append(.askToRegister(id))
            return nil
        }
        if let index = worker.leaseIndex(lease) {
            return worker.leases[index].isRevoked ? nil : index
        }
        guard adopt(id, lease, step: 0, &effects) else { return nil }
        return workers[id]?.leaseIndex(lease)
    }

    mutating func reportStep(
        _ id: WorkerID, _ lease: LeaseID, _ step: Int, _ resume: ResumePoint?,
        _ preview: BlobHandle?, _ effects: inout [QueueEffect]
    ) {
        defer { if let preview { effects.append(.discardBlob(preview)) } }
        guard let index = current(id, lease, &effects),
            let granted = workers[id]?.leases[index], (1...granted.shape.totalSteps).contains(step)
        else {
            if let blob = resume?.blob { effects.append(.discardBlob(blob)) }
            if workers[id] != nil { effects.append(.revokeLease(id, lease, .superseded)) }
            return
        }
        if step > granted.step { advance(id, index, to: step) }
        keepResume(lease.job, resume, of: id, upTo: step, &effects)
        guard step > jobs[lease.job].step else { return }
        jobs[lease.job].step = step
        let tier = granted.tier
        let left = workers[id]?.model.runTime(granted.shape, tier: tier, done: step)
        let end = left.map { now + $0 }
        for watcher in jobs[lease.job].watchers where watcher.wantsProgress {
            let reply = ClientReply.progress(
                lease.job, step: step, of: granted.shape.totalSteps, end: end,
                preview: watcher.wantsPreviews ? preview : nil)
            effects.append(.reply(watcher.connection, tag: watcher.tag, reply))
        }
    }

    /// Measures the steps done since the last report.
    mutating func advance(_ id: WorkerID, _ index: Int, to step: Int) {
        guard var lease = workers[id]?.leases[index] else { return }
        let span = now - lease.advancedAt
        let count = step - lease.step
        if lease.isWhole && lease.isStepClean {
            workers[id]?.model.observeSteps(
                count, pixels: lease.shape.pixels, tier: lease.tier, span: span)
            fleetModel.observeSteps(
                count, pixels: lease.shape.pixels, tier: lease.tier, span: span)
            lease.measuredSpan = lease.measuredSpan + span
            lease.measuredSteps += count
        }
        lease.isStepClean = true
        lease.step = step
        lease.advancedAt = now
        workers[id]?.leases[index] = lease
        capacities = [:]
    }

    /// Keeps the newer of two resume points and discards the other. One of another kind than the
    /// job's other parts is not kept.
    private mutating func keepResume(
        _ id: JobID, _ resume: ResumePoint?, of worker: WorkerID, upTo step: Int,
        _ effects: inout [QueueEffect]
    ) {
        guard let resume else { return }
        let old = jobs[id].row.state.resume
        let origin = workers[worker].map { WorkOrigin($0.description) }
        guard resume.step > (old?.step ?? 0), resume.step <= step, let origin,
            jobs[id].row.state.origin ?? origin == origin
        else { return effects.append(.discardBlob(resume.blob)) }
        jobs[id].row.state.resume = resume
        jobs[id].row.state.origin = origin
        persist(id, &effects)
        if let old { effects.append(.discardBlob(old.blob)) }
    }

    mutating func complete(
        _ id: WorkerID, _ lease: LeaseID, _ result: ResultSummary, _ effects: inout [QueueEffect]
    ) {
        guard let index = current(id, lease, &effects), let granted = workers[id]?.leases[index]
        else {
            effects.append(.discardBlob(result.blob))
            return confirmStale(id, lease, &effects)
        }
        measure(id, granted)
        dropLease(id, lease)
        workers[id]?.errorsInARow = 0
        workers[id]?.finishedJobs += 1
        counters.runningTimes.observe(now - (jobs[lease.job].row.state.startedAt ?? now))
        jobs[lease.job].holder = nil
        let kept = ResultSummary(blob: result.blob, byteCount: max(0, result.byteCount))
        end(lease.job, .completed(kept), &effects)
        effects.append(.confirmLeaseEnd(id, lease, isTaken: true))
        offerWork(to: id, &effects)
    }

    /// Learns from a finished run: from its steps if they were seen, else from the whole.
    private mutating func measure(_ id: WorkerID, _ lease: GrantedLease) {
        guard lease.isWhole, let worker = workers[id] else { return }
        let shape = lease.shape
        let total = now - lease.grantedAt
        if lease.measuredSteps > 0 {
            let resumed = jobs[lease.id.job].row.state.attempt > 1
            guard !resumed, let step = worker.model.stepTime(pixels: shape.pixels, tier: lease.tier)
            else { return }
            let other = total + step * -Int64(shape.totalSteps)
            workers[id]?.model.observeOverhead(shape: shape, span: other)
            fleetModel.observeOverhead(shape: shape, span: other)
        } else if worker.model.unitCost(tier: lease.tier) == nil || lease.step == 0 {
            let count = shape.totalSteps
            workers[id]?.model.observeSteps(
                count, pixels: shape.pixels, tier: lease.tier, span: total)
            fleetModel.observeSteps(count, pixels: shape.pixels, tier: lease.tier, span: total)
        }
    }

    mutating func fail(
        _ id: WorkerID, _ lease: LeaseID, _ failure: WorkerFailure, _ effects: inout [QueueEffect]
    ) {
        guard current(id, lease, &effects) != nil else { return confirmStale(id, lease, &effects) }
        dropLease(id, lease)
        jobs[lease.job].holder = nil
        if failure.refusesResume, jobs[lease.job].row.state.resume != nil {
            // Nobody's fault: the next attempt has nothing to refuse.
            returnToQueue(lease.job, &effects)
            startOver(lease.job, &effects)
            enterLine(lease.job, &effects)
            effects.append(.confirmLeaseEnd(id, lease, isTaken: true))
            offer(lease.job, &effects)
            return offerWork(to: id, &effects)
        }
        pauseAfterError(id)
        jobs[lease.job].row.state.errors += 1
        let errors = jobs[lease.job].row.state.errors
        if failure.isRetriable && errors < limits.errorsPerJob {
            returnToQueue(lease.job, &effects)
            let pause = limits.retryPause * (1 << Int64(min(errors - 1, 20)))
            park(lease.job, for: min(pause, limits.retryPauseLongest))
        } else {
            end(lease.job, .failed(describe(failure)), &effects)
        }
        effects.append(.confirmLeaseEnd(id, lease, isTaken: true))
        offerWork(to: id, &effects)
    }

    private func describe(_ failure: WorkerFailure) -> JobFailure {
        let message = String(failure.message.prefix(limits.messageBytes / 4))
        let code = String(failure.code.prefix(limits.nameBytes / 4))
        return JobFailure(
            code: failure.isRetriable ? .errorsExhausted : .permanentError, workerCode: code,
            message: message)
    }

    /// A worker that fails job after job pauses longer and longer, so it cannot eat the queue.
    private mutating func pauseAfterError(_ id: WorkerID) {
        guard let errors = workers[id]?.errorsInARow else { return }
        workers[id]?.errorsInARow = errors + 1
        guard errors > 0 else { return }
        let pause = limits.retryPause * (1 << Int64(min(errors - 1, 20)))
        workers[id]?.pausedUntil = now + min(pause, limits.retryPauseLongest)
        armWorker(id)
    }

    mutating func handBack(
        _ id: WorkerID, _ lease: LeaseID, _ resume: ResumePoint?, _ effects: inout [QueueEffect]
    ) {
        guard current(id, lease, &effects) != nil else {
            if let blob = resume?.blob { effects.append(.discardBlob(blob)) }
            return confirmStale(id, lease, &effects)
        }
        dropLease(id, lease)
        keepResume(lease.job, resume, of: id, upTo: jobs[lease.job].shape.totalSteps, &effects)
        requeue(lease.job, &effects)
        effects.append(.confirmLeaseEnd(id, lease, isTaken: true))
        offerWork(to: id, &effects)
    }

    mutating func release(_ id: WorkerID, _ lease: LeaseID, _ effects: inout [QueueEffect]) {
        guard let worker = workers[id] else { return effects.append(.askToRegister(id)) }
        guard let index = worker.leaseIndex(lease), worker.leases[index].isRevoked else { return }
        dropLease(id, lease)
        offerWork(to: id, &effects)
    }

    /// A word about a lease that does not count any more; its worker is free of it.
    private mutating func confirmStale(
        _ id: WorkerID, _ lease: LeaseID, _ effects: inout [QueueEffect]
    ) {
        guard workers[id] != nil else { return }
        dropLease(id, lease)
        effects.append(.confirmLeaseEnd(id, lease, isTaken: false))
        offerWork(to: id, &effects)
    }

    /// Takes a lease back; its slot counts as busy until the worker says otherwise.
    mutating func revoke(
        _ lease: LeaseID, at id: WorkerID, _ reason: RevocationReason,
        _ effects: inout [QueueEffect]
    ) {
        guard let index = workers[id]?.leaseIndex(lease) else { return }
        workers[id]?.leases[index].isRevoked = true
        capacities = [:]
        effects.append(.revokeLease(id, lease, reason))
    }
}
