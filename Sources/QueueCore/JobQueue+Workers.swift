// Workers that come, show that they live, and go.
//
// A heartbeat states all leases its worker holds. Comparing that with what the queue granted heals
// every lost message: a lease that never arrived, a revocation or a release that did not.

extension JobQueue {
    mutating func register(
        _ id: WorkerID, _ description: WorkerDescription, _ heartbeat: Heartbeat,
        _ effects: inout [QueueEffect]
    ) {
        if let refusal = refusal(of: description) {
            effects.append(.refuseWorker(id, refusal))
            return
        }
        // One process says the same of itself each time.
        if let known = workers[id]?.description, known != description {
            removeWorker(id, blame: .restarted, &effects)
        }
        if workers[id] == nil, let other = workerNames[description.name] {
            guard supersede(other, by: description, &effects) else {
                let refusal = QueueError.workerRefused("another worker has this name")
                effects.append(.refuseWorker(id, refusal))
                return
            }
        }
        if workers[id] == nil {
            guard workers.count < limits.workers else {
                effects.append(.refuseWorker(id, .workerRefused("there are too many workers")))
                return
            }
            addWorker(id, description, heartbeat)
        }
        workers[id]?.description = description
        workers[id]?.tiers = limits.tiers(within: description.pixels)
        capacities = [:]
        effects.append(.confirmRegistration(id))
        hear(id, heartbeat, &effects)
    }

    private func refusal(of description: WorkerDescription) -> QueueError? {
        let names = [description.name, description.numericsClass.name]
        let hashes = description.models.map(\.hash)
        guard (names + hashes).allSatisfy({ (1...limits.nameBytes).contains($0.utf8.count) }) else {
            return .workerRefused("a name is empty or too long")
        }
        guard description.models.count <= limits.modelsPerWorker else {
            return .workerRefused("there are too many models")
        }
        guard (1...limits.slotsPerWorker).contains(description.slots), description.pixels > 0 else {
            return .workerRefused("slots or pixels are out of range")
        }
        return nil
    }

    /// Makes room for a worker under a name in use; returns whether it may have it.
    ///
    /// The same process under a new connection takes over its leases at once. Another process must
    /// wait until the old one is lost, so two workers with one name by mistake disturb no job.
    private mutating func supersede(
        _ other: WorkerID, by description: WorkerDescription, _ effects: inout [QueueEffect]
    ) -> Bool {
        guard workers[other]?.description == description else { return false }
        let leases = workers[other]?.leases.filter { !$0.isRevoked } ?? []
        for lease in leases { park(lease.id.job, for: limits.leaseArrival) }
        workers[other]?.leases = []
        removeWorker(other, blame: nil, &effects)
        return true
    }

    private mutating func addWorker(
        _ id: WorkerID, _ description: WorkerDescription, _ heartbeat: Heartbeat
    ) {
        workers[id] = Worker(
            id: id, description: description, tiers: limits.tiers(within: description.pixels),
            sequence: heartbeat.sequence, heardAt: now, isReady: heartbeat.isReady,
            isDraining: heartbeat.isDraining, residentBytes: heartbeat.residentBytes,
            model: fleetModel)
        if heartbeat.sequence > 0 { workers[id]?.sequence = heartbeat.sequence - 1 }
        workerNames[description.name] = id
        workerOrder.insert(RankedKey(0, id.number))
        armWorker(id)
    }

    /// Takes in a heartbeat: signs of life, readiness, and the leases held.
    mutating func hear(_ id: WorkerID, _ heartbeat: Heartbeat, _ effects: inout [QueueEffect]) {
        guard let worker = workers[id] else { return effects.append(.askToRegister(id)) }
        let isFirst = worker.sequence == 0 && heartbeat.sequence == 0
        guard isFirst || heartbeat.sequence > worker.sequence else { return }
        if worker.isDraining != heartbeat.isDraining { capacities = [:] }
        workers[id]?.take(heartbeat, at: now)
        let held = heartbeat.held.prefix(2 * limits.slotsPerWorker)
        for item in held { hearHeld(id, item, &effects) }
        for lease in worker.leases where !held.contains(where: { $0.lease == lease.id }) {
            guard lease.grantedAt + limits.leaseArrival <= now else { continue }
            dropLease(id, lease.id)
            if !lease.isRevoked { requeue(lease.id.job, &effects) }
        }
        offerWork(to: id, &effects)
    }

    private mutating func hearHeld(
        _ id: WorkerID, _ held: HeldLease, _ effects: inout [QueueEffect]
    ) {
        guard let index = workers[id]?.leaseIndex(held.lease) else {
            if !adopt(id, held.lease, step: held.step, &effects) {
                noteStray(id, held.lease)
                effects.append(.revokeLease(id, held.lease, .superseded))
            }
            return
        }
        guard let lease = workers[id]?.leases[index] else { return }
        if lease.isRevoked {
            effects.append(.revokeLease(id, held.lease, .superseded))
        } else if held.step > lease.step, held.step <= lease.shape.totalSteps {
            advance(id, index, to: held.step)
        }
    }

    /// A worker computes what it should not: that occupies a slot until it stops.
    private mutating func noteStray(_ id: WorkerID, _ lease: LeaseID) {
        guard let count = workers[id]?.leases.count, count < 4 * limits.slotsPerWorker else {
            return
        }
        let stray = GrantedLease(
            id: lease, shape: JobShape(pixels: 1, steps: 1), tier: 0, isRevoked: true,
            grantedAt: now + limits.leaseArrival * -1, advancedAt: now, step: 0, isWhole: false)
        workers[id]?.leases.append(stray)
    }

    /// Gives a job back to a worker that still computes its last attempt, where nothing newer was
    /// started: after a restart of the broker, a reconnection, or a false alarm.
    mutating func adopt(
        _ id: WorkerID, _ lease: LeaseID, step: Int, _ effects: inout [QueueEffect]
    ) -> Bool {
        guard let worker = workers[id], let job = jobs.find(lease.job),
            job.row.state.attempt == lease.attempt, job.isReclaimable, job.holder == nil,
            job.row.state.worker == worker.description.name,
            job.row.state.origin.map({ $0 == WorkOrigin(worker.description) }) ?? true
        else { return false }
        leaveLine(lease.job)
        if job.wasBlamed, job.row.state.deaths > 0 {
            jobs[lease.job].row.state.deaths -= 1
        }
        if job.row.state.phase != .leased {
            jobs[lease.job].row.state.phase = .leased
            persist(lease.job, &effects)
            leased.insert(RankedKey(0, lease.job.number))
        }
        hold(lease, at: id, step: min(max(step, 0), job.shape.totalSteps), isWhole: false)
        return true
    }

    /// Enters a lease at its worker.
    mutating func hold(_ lease: LeaseID, at id: WorkerID, step: Int, isWhole: Bool) {
        let shape = jobs[lease.job].shape
        jobs[lease.job].holder = id
        jobs[lease.job].parkedUntil = nil
        jobs[lease.job].isReclaimable = false
        jobs[lease.job].wasBlamed = false
        workers[id]?.leases.append(
            GrantedLease(
                id: lease, shape: shape, tier: limits.tier(holding: shape.pixels), grantedAt: now,
                advancedAt: now, step: step, isWhole: isWhole))
        capacities = [:]
        arm(lease.job)
    }

    /// Takes a lease off its worker's hands.
    mutating func dropLease(_ id: WorkerID, _ lease: LeaseID) {
        guard let index = workers[id]?.leaseIndex(lease) else { return }
        workers[id]?.leases.remove(at: index)
        capacities = [:]
    }

    /// Removes a worker; its jobs go back, with the death on their account if there is blame.
    mutating func removeWorker(
        _ id: WorkerID, blame: DeathCause?, _ effects: inout [QueueEffect]
    ) {
        guard let worker = workers[id] else { return }
        if let timer = worker.timerAt {
            workerTimers.remove(RankedKey(timer.microseconds, id.number))
        }
        if worker.isFree { freeWorkers.remove(RankedKey(0, id.number)) }
        workerOrder.remove(RankedKey(0, id.number))
        workerNames[worker.description.name] = nil
        workers[id] = nil
        capacities = [:]
        if blame != nil { counters.workersLost += 1 }
        missOrigin(of: worker)
        for lease in worker.leases where !lease.isRevoked {
            if let blame {
                countDeath(lease.id.job, blame, &effects)
            } else {
                requeue(lease.id.job, &effects)
            }
        }
    }

    /// Looks after a worker whose timer has come: lost, hung, or done pausing.
    mutating func inspectWorker(_ id: WorkerID, _ effects: inout [QueueEffect]) {
        guard let worker = workers[id] else { return }
        if worker.heardAt + limits.workerSilence <= now {
            return removeWorker(id, blame: .silent, &effects)
        }
        if let pause = worker.pausedUntil, pause <= now { workers[id]?.pausedUntil = nil }
        for lease in worker.leases where !lease.isRevoked {
            let limit = worker.model.hangLimit(lease.shape, tier: lease.tier, limits: limits)
            guard lease.advancedAt + limit <= now else { continue }
            revoke(lease.id, at: id, .hung, &effects)
            countDeath(lease.id.job, .hung, &effects)
        }
        armWorker(id)
        offerWork(to: id, &effects)
    }

    /// Puts a worker's timer where it can next be found silent or done pausing.
    mutating func armWorker(_ id: WorkerID) {
        guard let worker = workers[id] else { return }
        if let old = worker.timerAt {
            workerTimers.remove(RankedKey(old.microseconds, id.number))
        }
        let silent = worker.heardAt + limits.workerSilence
        let moment = min(silent, worker.pausedUntil ?? silent)
        workers[id]?.timerAt = moment
        workerTimers.insert(RankedKey(moment.microseconds, id.number))
    }
}
