// When a job will run: from its place in the line and what the connected workers were measured at.

/// What the connected workers can do for one requirement.
struct Capacity: Sendable {
    /// Connected workers that can take it and do not drain.
    var workers = 0
    /// Their free slots.
    var freeSlots = 0
    /// Work units a microsecond of all their slots; 0 where nothing was measured.
    var rate = 0.0
    /// Work units left in their running jobs.
    var runningUnits = 0.0
    /// The fastest one's measurements.
    var fastest: CostModel?

    func runTime(_ shape: JobShape, tier: Int, done: Int) -> TimeSpan? {
        fastest?.runTime(shape, tier: tier, done: done)
    }
}

extension JobQueue {
    /// The capacity for a requirement, remembered until a worker changes.
    mutating func capacity(for requirement: Requirement) -> Capacity {
        if let known = capacities[requirement] { return known }
        if capacities.count > limits.lanes { capacities = [:] }
        let measured = measureCapacity(for: requirement)
        capacities[requirement] = measured
        return measured
    }

    func measureCapacity(for requirement: Requirement) -> Capacity {
        var result = Capacity()
        var lowest = Double.infinity
        var next = workerOrder.first
        while let key = next {
            next = workerOrder.next(after: key)
            guard let worker = workers[WorkerID(number: key.minor)], !worker.isDraining,
                requirement.isMet(by: worker.description, tiers: worker.tiers)
            else { continue }
            result.workers += 1
            let free = worker.description.slots - worker.leases.count
            if worker.canTakeMore { result.freeSlots += max(0, free) }
            for lease in worker.leases {
                let left = Double(lease.shape.totalSteps - lease.step)
                result.runningUnits += left * Double(lease.shape.pixels) / 1024
            }
            guard let unit = worker.model.unitCost(tier: requirement.tier) else { continue }
            result.rate += Double(worker.description.slots) / unit
            if unit < lowest {
                lowest = unit
                result.fastest = worker.model
            }
        }
        return result
    }

    /// The estimate for a job that waits or runs.
    func estimate(of job: Job) -> JobEstimate {
        if let ticket = job.ticket {
            let done = job.row.state.resume?.step ?? 0
            return estimate(
                job.shape, requirement(of: job), ahead: line.ahead(of: ticket), done: done)
        }
        guard let holder = job.holder, let worker = workers[holder],
            let index = worker.leaseIndex(job.lease)
        else { return estimate(job.shape, requirement(of: job), ahead: (0, 0), done: 0) }
        let lease = worker.leases[index]
        let left = worker.model.runTime(lease.shape, tier: lease.tier, done: lease.step)
        return JobEstimate(
            place: 0, start: job.row.state.startedAt, end: left.map { lease.advancedAt + $0 })
    }

    /// The estimate for a job with so much work before it.
    func estimate(
        _ shape: JobShape, _ needed: Requirement, ahead: (count: Int, cost: Int64), done: Int
    ) -> JobEstimate {
        let capacity = capacities[needed] ?? measureCapacity(for: needed)
        var result = JobEstimate(place: ahead.count, hold: nil)
        if capacity.workers == 0 { result.hold = holdReason(needed) }
        guard capacity.rate > 0,
            let run = capacity.runTime(shape, tier: needed.tier, done: done)
        else { return result }
        var start = now
        if ahead.count > 0 || capacity.freeSlots == 0 {
            let work = Double(ahead.cost) + capacity.runningUnits
            start = now + TimeSpan(clamping: work / capacity.rate)
        }
        result.start = start
        result.end = start + run
        return result
    }

    /// What the connected workers lack, those aside that are about to leave.
    func holdReason(_ needed: Requirement) -> HoldReason? {
        var isAnyoneThere = false
        var isModelLoaded = false
        var isClassServed = false
        var next = workerOrder.first
        while let key = next {
            next = workerOrder.next(after: key)
            guard let worker = workers[WorkerID(number: key.minor)], !worker.isDraining else {
                continue
            }
            isAnyoneThere = true
            let origin = needed.origin ?? WorkOrigin(worker.description)
            if let model = needed.model, !worker.description.models.contains(model) { continue }
            guard origin.model == worker.description.models.first else { continue }
            isModelLoaded = true
            guard origin.numericsClass == worker.description.numericsClass else { continue }
            if let name = needed.numericsClass, worker.description.numericsClass != name {
                continue
            }
            isClassServed = true
            if needed.tier < worker.tiers { return nil }
        }
        if !isAnyoneThere { return .noWorker }
        if !isModelLoaded { return .modelNotLoaded }
        return isClassServed ? .imageTooLarge : .numericsClassNotServed
    }
}
