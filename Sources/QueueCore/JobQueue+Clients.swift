// Clients that follow, cancel and leave their jobs.

extension JobQueue {
    mutating func attach(
        _ reference: JobReference, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        switch find(reference, requester) {
        case .success(let id): follow(id, requester, &effects)
        case .failure(let error): refuse(requester, error, &effects)
        }
    }

    mutating func cancel(
        _ reference: JobReference, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        let id: JobID
        switch find(reference, requester) {
        case .success(let found): id = found
        case .failure(let error): return refuse(requester, error, &effects)
        }
        let job = jobs[id]
        switch job.row.state.phase {
        case .waiting, .leased, .quarantined:
            let isOwner = job.row.client == requester.client
            end(id, .cancelled(isOwner ? .byOwner : .byAdmin), &effects)
        case .ended(.cancelled): break
        case .ended: return refuse(requester, .alreadyEnded, &effects)
        case .expired: return refuse(requester, .resultExpired, &effects)
        }
        effects.append(.reply(requester.connection, tag: requester.tag, .done(id)))
    }

    /// Finds a job that the requester may touch.
    private func find(
        _ reference: JobReference, _ requester: Requester
    ) -> Result<JobID, QueueError> {
        switch reference {
        case .job(let id):
            guard let job = jobs.find(id) else { return .failure(.unknownJob) }
            let mayTouch = requester.isAdmin || job.row.client == requester.client
            return mayTouch ? .success(id) : .failure(.notOwner)
        case .request(let request):
            guard let owner = clients.number(of: requester.client),
                let id = requests[RequestKey(client: owner, request: request)]
            else { return .failure(.unknownJob) }
            return .success(id)
        }
    }

    /// Tells a requester where a job stands and, unless it has ended, all that follows.
    mutating func follow(
        _ id: JobID, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        let job = jobs[id]
        func answer(_ reply: ClientReply) {
            effects.append(.reply(requester.connection, tag: requester.tag, reply))
        }
        switch job.row.state.phase {
        case .ended(let ending): answer(.ended(id, ending, history(of: job)))
        case .expired: answer(.refused(.resultExpired))
        case .quarantined(let quarantine): answer(.quarantined(id, quarantine))
        case .waiting, .leased:
            answer(.accepted(id, estimate(of: job)))
            watch(id, requester, &effects)
        }
    }

    private mutating func watch(
        _ id: JobID, _ requester: Requester, _ effects: inout [QueueEffect]
    ) {
        let key = watchKey(requester.connection, id)
        if watches.weight(of: key) != nil {
            jobs[id].watchers.removeAll { $0.connection == requester.connection }
        } else {
            watches.insert(key)
        }
        jobs[id].watchers.append(Watcher(requester))
        if jobs[id].watchers.count > limits.watchersPerJob {
            let oldest = jobs[id].watchers.removeFirst()
            removeWatch(oldest.connection, id)
            effects.append(
                .reply(oldest.connection, tag: oldest.tag, .refused(.watchDisplaced)))
        }
        jobs[id].abandonAt = nil
        arm(id)
    }

    func watchKey(_ connection: ConnectionID, _ id: JobID) -> RankedKey {
        RankedKey(Int64(bitPattern: connection.number), id.number)
    }

    mutating func removeWatch(_ connection: ConnectionID, _ id: JobID) {
        watches.remove(watchKey(connection, id))
    }

    /// Sends a last answer to everyone attached to a job, and lets them go.
    mutating func dismissWatchers(
        _ id: JobID, _ reply: ClientReply, _ effects: inout [QueueEffect]
    ) {
        for watcher in jobs[id].watchers {
            effects.append(.reply(watcher.connection, tag: watcher.tag, reply))
            removeWatch(watcher.connection, id)
        }
        jobs[id].watchers = []
    }

    mutating func closeConnection(_ connection: ConnectionID, _ effects: inout [QueueEffect]) {
        departing.append(connection)
        var budget = limits.workPerTick
        undoWatches(&budget)
    }

    /// Undoes the watches of closed connections, as many as the budget allows.
    mutating func undoWatches(_ budget: inout Int) {
        while let connection = departing.last {
            let lowest = RankedKey(Int64(bitPattern: connection.number), 0)
            guard let key = watches.next(after: lowest), key.major == lowest.major else {
                departing.removeLast()
                continue
            }
            guard budget > 0 else { return }
            budget -= 1
            let id = JobID(number: key.minor)
            watches.remove(key)
            jobs[id].watchers.removeAll { $0.connection == connection }
            abandonIfAlone(id, after: limits.abandonGrace)
        }
    }

    /// Lets an unfinished job run out if nobody follows it and nobody wished it to go on.
    mutating func abandonIfAlone(_ id: JobID, after grace: TimeSpan) {
        let job = jobs[id]
        guard job.watchers.isEmpty, !job.row.submission.isDetached, job.isUnfinished else { return }
        jobs[id].abandonAt = now + grace
        arm(id)
    }

    func history(of job: Job) -> JobHistory {
        let state = job.row.state
        let end = state.endedAt ?? now
        let start = state.startedAt ?? end
        return JobHistory(
            queued: start - job.row.acceptedAt, running: end - start, attempts: state.attempt,
            worker: state.worker)
    }
}
