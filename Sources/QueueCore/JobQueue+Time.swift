// What falls due by itself.

extension JobQueue {
    /// Handles what is due, at most `QueueLimits.workPerTick` of it.
    mutating func passTime(_ effects: inout [QueueEffect]) {
        var budget = limits.workPerTick
        undoWatches(&budget)
        while budget > 0, let due = workerTimers.first, due.major <= now.microseconds {
            budget -= 1
            inspectWorker(WorkerID(number: due.minor), &effects)
        }
        while budget > 0, let due = timers.first, due.major <= now.microseconds {
            budget -= 1
            attend(JobID(number: due.minor), &effects)
        }
        while budget > 0, clients.forgetIdle(at: now) { budget -= 1 }
        if owesDispatch {
            owesDispatch = false
            var next = workerOrder.first
            while let key = next {
                offerWork(to: WorkerID(number: key.minor), &effects)
                next = workerOrder.next(after: key)
            }
        }
    }

    /// Attends to a job whose timer has come.
    private mutating func attend(_ id: JobID, _ effects: inout [QueueEffect]) {
        let job = jobs[id]
        switch job.row.state.phase {
        case .ended: expire(id, &effects)
        case .expired: forget(id, &effects)
        case .quarantined: discard(id, &effects)
        case .waiting, .leased:
            if let deadline = job.row.submission.deadline, deadline <= now {
                failDeadline(id, &effects)
            } else if let moment = job.abandonAt, moment <= now {
                end(id, .cancelled(.abandoned), &effects)
            } else if let moment = job.parkedUntil, moment <= now {
                if job.row.state.phase == .leased {
                    returnToQueue(id, &effects)
                    jobs[id].isReclaimable = true
                }
                enterLine(id, &effects)
                offer(id, &effects)
            } else if job.ticket != nil, let moment = job.startOverAt, moment <= now {
                reconsiderOrigin(id, &effects)
            }
        }
    }
}
