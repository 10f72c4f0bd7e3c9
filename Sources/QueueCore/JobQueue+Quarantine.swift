// Jobs that killed too many workers: kept apart until an admin decides.

extension JobQueue {
    /// Puts a job that has just lost its worker into quarantine.
    mutating func quarantine(_ id: JobID, _ cause: DeathCause, _ effects: inout [QueueEffect]) {
        let state = jobs[id].row.state
        let quarantine = Quarantine(
            deaths: state.deaths, cause: cause, worker: state.worker ?? "", since: now)
        jobs[id].row.state.phase = .quarantined(quarantine)
        jobs[id].abandonAt = nil
        quarantined.insert(RankedKey(now, id))
        persist(id, &effects)
        dismissWatchers(id, .quarantined(id, quarantine), &effects)
        arm(id)
        if quarantined.count > limits.quarantined, let oldest = quarantined.first {
            discard(JobID(number: oldest.minor), &effects)
        }
    }

    /// Gives a quarantined job up.
    mutating func discard(_ id: JobID, _ effects: inout [QueueEffect]) {
        let failure = JobFailure(
            code: .discarded, workerCode: nil,
            message: "The job ended several workers and was discarded from quarantine.")
        end(id, .failed(failure), &effects)
    }

    func listQuarantine(_ requester: Requester, _ effects: inout [QueueEffect]) {
        guard requester.isAdmin else { return refuse(requester, .adminOnly, &effects) }
        var reports: [JobReport] = []
        var next = quarantined.first
        while let key = next, reports.count < 1000 {
            reports.append(report(on: jobs[JobID(number: key.minor)]))
            next = quarantined.next(after: key)
        }
        let reply = ClientReply.quarantineList(reports)
        effects.append(.reply(requester.connection, tag: requester.tag, reply))
    }

    func inspectQuarantine(
        _ id: JobID, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        guard let job = quarantinedJob(id, requester, &effects) else { return }
        let reply = ClientReply.quarantinedJob(
            report(on: job), payload: job.row.submission.payload)
        effects.append(.reply(requester.connection, tag: requester.tag, reply))
    }

    mutating func releaseQuarantine(
        _ id: JobID, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        guard let job = quarantinedJob(id, requester, &effects),
            case .quarantined(let quarantine) = job.row.state.phase
        else { return }
        quarantined.remove(RankedKey(quarantine.since, id))
        jobs[id].row.state.phase = .waiting
        jobs[id].row.state.deaths = 0
        jobs[id].isReclaimable = false
        persist(id, &effects)
        enterLine(id, &effects)
        abandonIfAlone(id, after: limits.reattachGrace)
        effects.append(.reply(requester.connection, tag: requester.tag, .done(id)))
        offer(id, &effects)
    }

    mutating func discardQuarantine(
        _ id: JobID, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        guard quarantinedJob(id, requester, &effects) != nil else { return }
        discard(id, &effects)
        effects.append(.reply(requester.connection, tag: requester.tag, .done(id)))
    }

    private func quarantinedJob(
        _ id: JobID, _ requester: Requester, _ effects: inout [QueueEffect]
    ) -> Job? {
        guard requester.isAdmin else {
            refuse(requester, .adminOnly, &effects)
            return nil
        }
        guard let job = jobs.find(id), case .quarantined = job.row.state.phase else {
            refuse(requester, .notQuarantined(id), &effects)
            return nil
        }
        return job
    }
}
