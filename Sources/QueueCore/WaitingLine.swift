// Who is next. Jobs that the same workers can take stand in one lane; a lane has a fair order for
// each priority and one order by age.
//
// Fairness is start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): a job gets a start tag
// max(virtual time, its client's last finish tag), its finish tag is its cost later, the smallest
// tag goes first. Ageing: once a lane's overdue head was passed over `passesBeforeOverdue` times by
// workers that could have taken it, the oldest such head goes first. So a job that is overdue sees
// at most passes * (older dispatched + 1) younger ones go before it: none starves.

/// What a worker must have to take a job.
struct Requirement: Hashable, Sendable {
    var model: ModelID?
    var numericsClass: NumericsClass?
    /// The kind of worker that began the job.
    var origin: WorkOrigin?
    var tier: Int

    /// Whether a worker that serves the lowest `tiers` tiers can take it.
    func isMet(by worker: WorkerDescription, tiers: Int) -> Bool {
        guard tier < tiers else { return false }
        if let model, !worker.models.contains(model) { return false }
        if let numericsClass, worker.numericsClass != numericsClass { return false }
        if let origin, WorkOrigin(worker) != origin { return false }
        return true
    }
}

/// A job's place in the line.
struct Ticket: Equatable, Sendable {
    var lane: Int
    var priority: Priority
    /// Start tag and job.
    var turn: RankedKey
    /// Overdue moment and job.
    var age: RankedKey
    var cost: Int64
}

/// All waiting jobs.
struct WaitingLine: Sendable {
    struct Lane: Sendable {
        var requirement: Requirement
        var turns = [RankedSet](repeating: RankedSet(), count: Priority.allCases.count)
        var ages = RankedSet()
        var passes = 0
    }

    private(set) var lanes: [Lane] = []
    private var laneIndex: [Requirement: Int] = [:]
    private var virtualTime = [Int64](repeating: 0, count: Priority.allCases.count)
    private(set) var count = 0
    let limits: QueueLimits

    init(limits: QueueLimits) { self.limits = limits }

    /// The lane for a requirement, made if need be; nil when there are too many. Jobs that were
    /// accepted before must come back, so they are not bounded here.
    mutating func lane(for requirement: Requirement, isBounded: Bool) -> Int? {
        if let index = laneIndex[requirement] { return index }
        let empty =
            lanes.count < limits.lanes ? nil : lanes.firstIndex { $0.ages.isEmpty }
        guard let index = empty else {
            if lanes.count >= limits.lanes && isBounded { return nil }
            lanes.append(Lane(requirement: requirement))
            laneIndex[requirement] = lanes.count - 1
            return lanes.count - 1
        }
        laneIndex[lanes[index].requirement] = nil
        lanes[index] = Lane(requirement: requirement)
        laneIndex[requirement] = index
        return index
    }

    /// The start tag of a new job of a client whose last finish tag is `finish`.
    func startTag(after finish: Int64, _ priority: Priority) -> Int64 {
        max(finish, virtualTime[priority.rawValue])
    }

    mutating func insert(_ ticket: Ticket) {
        let lane = ticket.lane
        lanes[lane].turns[ticket.priority.rawValue].insert(ticket.turn, weight: ticket.cost)
        lanes[lane].ages.insert(ticket.age)
        count += 1
    }

    mutating func remove(_ ticket: Ticket) {
        let lane = ticket.lane
        let wasThere = lanes[lane].turns[ticket.priority.rawValue].remove(ticket.turn)
        precondition(wasThere && lanes[lane].ages.remove(ticket.age), "a ticket is in its lane")
        count -= 1
    }

    /// The job that should go to a worker now; nil if there is none it can take.
    func choose(for worker: WorkerDescription, tiers: Int, at now: Instant) -> JobID? {
        var aged: RankedKey?
        var best: RankedKey?
        var bestClass = Int.max
        for lane in lanes where !lane.ages.isEmpty {
            guard lane.requirement.isMet(by: worker, tiers: tiers) else { continue }
            if lane.passes >= limits.passesBeforeOverdue, let head = lane.ages.first,
                head.major <= now.microseconds, aged.map({ head < $0 }) ?? true
            {
                aged = head
            }
            for rank in 0..<lane.turns.count where rank <= bestClass {
                guard let head = lane.turns[rank].first else { continue }
                if rank < bestClass || best.map({ head < $0 }) ?? true { best = head }
                bestClass = rank
                break
            }
        }
        return (aged ?? best).map { JobID(number: $0.minor) }
    }

    /// Takes a chosen job out and counts for whom it jumped ahead.
    mutating func dispatch(
        _ ticket: Ticket, to worker: WorkerDescription, tiers: Int, at now: Instant
    ) {
        for index in lanes.indices {
            guard let head = lanes[index].ages.first, head.major <= now.microseconds else {
                if lanes[index].passes != 0 { lanes[index].passes = 0 }
                continue
            }
            if head == ticket.age {
                lanes[index].passes = 0
            } else if head < ticket.age,
                lanes[index].requirement.isMet(by: worker, tiers: tiers)
            {
                lanes[index].passes += 1
            }
        }
        remove(ticket)
        let rank = ticket.priority.rawValue
        virtualTime[rank] = max(virtualTime[rank], ticket.turn.major)
    }

    /// Jobs that would go before a ticket, and their cost, ageing left aside.
    func ahead(of ticket: Ticket) -> (count: Int, cost: Int64) {
        ahead(turn: ticket.turn, priority: ticket.priority)
    }

    /// Jobs that would go before a job with that turn, and their cost, ageing left aside.
    func ahead(turn: RankedKey, priority: Priority) -> (count: Int, cost: Int64) {
        var result = (count: 0, cost: Int64(0))
        for lane in lanes where !lane.ages.isEmpty {
            for rank in 0..<priority.rawValue {
                result.count += lane.turns[rank].count
                result.cost += lane.turns[rank].totalWeight
            }
            let (count, cost) = lane.turns[priority.rawValue].rank(of: turn)
            result.count += count
            result.cost += cost
        }
        return result
    }

    /// Waiting jobs of a priority.
    func count(_ priority: Priority) -> Int {
        lanes.reduce(0) { $0 + $1.turns[priority.rawValue].count }
    }
}
