// Keeping a job's parts of one kind, and starting over where that kind is gone.
//
// A job that waits for workers of the kind that began it waits as long as one is registered.
// Without any it waits `originGrace`; then, if others could take it, it gives up what was made and
// starts from the beginning. If nobody could take it, nothing is gained: it keeps what it has.

extension JobQueue {
    /// What a worker must have to begin a job, or to go on with it.
    func requirement(of job: Job) -> Requirement {
        var needed = requirement(of: job.row.submission)
        needed.origin = job.row.state.origin
        return needed
    }

    /// A finished image is stored: from now on the job is its kind's.
    mutating func keepImage(_ id: WorkerID, _ lease: LeaseID, _ effects: inout [QueueEffect]) {
        guard current(id, lease, &effects) != nil, let worker = workers[id],
            jobs[lease.job].row.state.origin == nil
        else { return }
        jobs[lease.job].row.state.origin = WorkOrigin(worker.description)
        persist(lease.job, &effects)
    }

    /// Drops what was made of a job that no worker holds and that is not in the line.
    mutating func startOver(_ id: JobID, _ effects: inout [QueueEffect]) {
        let blob = jobs[id].row.state.resume?.blob
        jobs[id].row.state.resume = nil
        jobs[id].row.state.origin = nil
        // Nor may the last worker come back with it.
        jobs[id].row.state.worker = nil
        jobs[id].isReclaimable = false
        jobs[id].wasBlamed = false
        jobs[id].step = 0
        counters.freshStarts += 1
        effects.append(.store(.startedOver(id, jobs[id].row.state)))
        if let blob { effects.append(.discardBlob(blob)) }
    }

    /// Sets until when a job in the line waits for workers of the kind that began it.
    mutating func awaitOrigin(_ id: JobID) {
        let job = jobs[id]
        let isAlone = job.row.state.origin != nil && !isServed(requirement(of: job))
        jobs[id].startOverAt = isAlone ? now + limits.originGrace : nil
        arm(id)
    }

    /// After a worker has gone: the jobs that only its kind could go on with wait for another.
    mutating func missOrigin(of worker: Worker) {
        let origin = WorkOrigin(worker.description)
        for lane in line.lanes where lane.requirement.origin == origin {
            guard lane.requirement.isMet(by: worker.description, tiers: worker.tiers),
                !isServed(lane.requirement)
            else { continue }
            var next = lane.ages.first
            while let key = next {
                awaitOrigin(JobID(number: key.minor))
                next = lane.ages.next(after: key)
            }
        }
    }

    /// Decides about a job that has waited for its kind of worker.
    mutating func reconsiderOrigin(_ id: JobID, _ effects: inout [QueueEffect]) {
        let bare = requirement(of: jobs[id].row.submission)
        guard !isServed(requirement(of: jobs[id])), isServed(bare) else { return awaitOrigin(id) }
        leaveLine(id)
        startOver(id, &effects)
        enterLine(id, &effects)
        offer(id, &effects)
    }

    /// Whether a registered worker could take a job, now or later.
    private func isServed(_ needed: Requirement) -> Bool {
        var next = workerOrder.first
        while let key = next {
            if let worker = workers[WorkerID(number: key.minor)],
                needed.isMet(by: worker.description, tiers: worker.tiers)
            {
                return true
            }
            next = workerOrder.next(after: key)
        }
        return false
    }
}
