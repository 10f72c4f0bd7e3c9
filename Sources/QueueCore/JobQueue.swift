// The broker's state machine: events in, effects out, nothing else.
//
// No clock, randomness, logging or input/output; no iteration over hash order; ids are counters.
// `docs/decisions/0005-pure-broker.md` explains the rules; the extensions hold them by topic.

/// All jobs, clients and workers of a broker.
///
/// The I/O loop applies events in the order they come, stores what the effects say, then acts on
/// the other effects. Equal events at equal times give equal effects.
public struct JobQueue: Sendable {
    /// The bounds and periods it keeps to.
    public let limits: QueueLimits
    var now = Instant(microseconds: .min)
    var lastJob: UInt64 = 0
    var isJournalAvailable = true

    var jobs = JobTable()
    var clients = ClientTable()
    var line: WaitingLine
    var requests: [RequestKey: JobID] = [:]
    /// Jobs by owner, (client number, job).
    var owned = RankedSet()
    /// Attached connections, (connection, job).
    var watches = RankedSet()
    /// Closed connections whose watches are not all undone yet.
    var departing: [ConnectionID] = []
    /// When each job next needs attention.
    var timers = RankedSet()
    /// Ended jobs by end, weighing their result's bytes.
    var results = RankedSet()
    var tombstones = RankedSet()
    var quarantined = RankedSet()
    /// Jobs with a lease, by id.
    var leased = RankedSet()
    /// Accepted and not ended, and their payload bytes.
    var unfinished = 0
    var payloadBytes = 0

    var workers: [WorkerID: Worker] = [:]
    var workerNames: [String: WorkerID] = [:]
    /// All workers by number; those with a free slot; when each next needs attention.
    var workerOrder = RankedSet()
    var freeWorkers = RankedSet()
    var workerTimers = RankedSet()
    /// What new workers start from.
    var fleetModel: CostModel
    var capacities: [Requirement: Capacity] = [:]
    /// A dispatch stopped early and goes on at the next tick.
    var owesDispatch = false
    /// Exponentially weighted time between endings, for retry-after answers.
    var endingInterval = TimeSpan.seconds(1)
    var lastEnding: Instant?

    var counters = QueueCounters()

    /// A client's key for a request.
    struct RequestKey: Hashable, Sendable {
        var client: UInt64
        var request: RequestID
    }

    /// An empty queue.
    public init(limits: QueueLimits = QueueLimits()) {
        precondition(limits.overdueAfter.count == Priority.allCases.count, "one a priority")
        self.limits = limits
        line = WaitingLine(limits: limits)
        fleetModel = CostModel(tierCount: limits.pixelTiers.count)
    }

    /// When `timePassed` must be applied at the latest, if no other event comes; nil: never.
    public var nextDeadline: Instant? {
        guard isJournalAvailable else { return nil }
        if owesDispatch || !departing.isEmpty { return now }
        let never = Instant.distantFuture
        let job = timers.first.map { Instant(microseconds: $0.major) } ?? never
        let worker = workerTimers.first.map { Instant(microseconds: $0.major) } ?? never
        let earliest = min(job, worker, clients.nextIdle ?? never)
        return earliest == never ? nil : earliest
    }

    /// Takes in what happened and appends what must be done.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - moment: When; a time before the last event's counts as that.
    ///   - effects: Receives the effects; whatever an effect relies on is stored before it.
    public mutating func apply(
        _ event: QueueEvent, at moment: Instant, into effects: inout [QueueEffect]
    ) {
        now = max(now, moment)
        guard isJournalAvailable else { return applyWithoutJournal(event, &effects) }
        switch event {
        case .submitted(let submission, let requester, let limits):
            submit(submission, requester, limits, &effects)
        case .attachRequested(let reference, let requester):
            attach(reference, requester, &effects)
        case .cancelRequested(let reference, let requester):
            cancel(reference, requester, &effects)
        case .shapeLearned(let id, let shape): reshape(id, shape, &effects)
        case .connectionClosed(let connection):
            closeConnection(connection, &effects)
        case .quarantineListRequested(let requester): listQuarantine(requester, &effects)
        case .quarantineInspected(let id, let requester):
            inspectQuarantine(id, requester, &effects)
        case .quarantineReleased(let id, let requester): releaseQuarantine(id, requester, &effects)
        case .quarantineDiscarded(let id, let requester): discardQuarantine(id, requester, &effects)
        case .workerRegistered, .heartbeatReceived, .workerLeft, .stepReported, .imageFinished,
            .leaseCompleted, .leaseFailed, .leaseHandedBack, .leaseReleased:
            applyWorkerEvent(event, &effects)
        case .timePassed: passTime(&effects)
        case .journalBecameUnavailable: isJournalAvailable = false
        case .journalBecameAvailable: break
        }
    }

    private mutating func applyWorkerEvent(_ event: QueueEvent, _ effects: inout [QueueEffect]) {
        switch event {
        case .workerRegistered(let id, let description, let heartbeat):
            register(id, description, heartbeat, &effects)
        case .heartbeatReceived(let id, let heartbeat): hear(id, heartbeat, &effects)
        case .workerLeft(let id): removeWorker(id, blame: nil, &effects)
        case .stepReported(let id, let lease, let step, let resume, let preview):
            reportStep(id, lease, step, resume, preview, &effects)
        case .imageFinished(let id, let lease): keepImage(id, lease, &effects)
        case .leaseCompleted(let id, let lease, let result): complete(id, lease, result, &effects)
        case .leaseFailed(let id, let lease, let failure): fail(id, lease, failure, &effects)
        case .leaseHandedBack(let id, let lease, let resume):
            handBack(id, lease, resume, &effects)
        case .leaseReleased(let id, let lease): release(id, lease, &effects)
        default: break
        }
    }

    /// While the journal cannot be written nothing that would have to be stored happens: workers
    /// repeat what is not confirmed, timers wait, new work is refused.
    private mutating func applyWithoutJournal(_ event: QueueEvent, _ effects: inout [QueueEffect]) {
        switch event {
        case .journalBecameAvailable: resumeAfterOutage(&effects)
        case .submitted(let submission, let requester, _):
            if !repeatRequest(submission, requester, &effects) {
                countRefusal(.storeUnavailable)
                refuse(requester, .storeUnavailable(limits), &effects)
            }
        case .attachRequested(let reference, let requester):
            attach(reference, requester, &effects)
        case .quarantineListRequested(let requester): listQuarantine(requester, &effects)
        case .quarantineInspected(let id, let requester):
            inspectQuarantine(id, requester, &effects)
        case .cancelRequested(_, let requester), .quarantineReleased(_, let requester),
            .quarantineDiscarded(_, let requester):
            refuse(requester, .storeUnavailable(limits), &effects)
        case .connectionClosed(let connection): departing.append(connection)
        case .heartbeatReceived(let id, let heartbeat):
            if let worker = workers[id], heartbeat.sequence > worker.sequence {
                workers[id]?.heardAt = now
            }
        case .stepReported(_, _, _, let resume, let preview):
            if let blob = resume?.blob { effects.append(.discardBlob(blob)) }
            if let preview { effects.append(.discardBlob(preview)) }
        case .leaseCompleted(_, _, let result): effects.append(.discardBlob(result.blob))
        case .leaseHandedBack(_, _, let resume):
            if let blob = resume?.blob { effects.append(.discardBlob(blob)) }
        case .workerRegistered, .workerLeft, .imageFinished, .leaseFailed, .leaseReleased,
            .timePassed, .shapeLearned, .journalBecameUnavailable:
            break
        }
    }

    /// Nobody is blamed for an outage: everyone gets a fresh period of silence.
    private mutating func resumeAfterOutage(_ effects: inout [QueueEffect]) {
        isJournalAvailable = true
        var next = workerOrder.first
        while let key = next {
            let id = WorkerID(number: key.minor)
            workers[id]?.heardAt = now
            for index in (workers[id]?.leases ?? []).indices {
                workers[id]?.leases[index].advancedAt = now
            }
            next = workerOrder.next(after: key)
        }
        owesDispatch = true
        passTime(&effects)
    }

    /// Stores the changing half of a job's row.
    func persist(_ id: JobID, _ effects: inout [QueueEffect]) {
        effects.append(.store(.changed(id, jobs[id].row.state)))
    }

    /// Puts a job's timer where its next moment is.
    mutating func arm(_ id: JobID) {
        let moment = jobs[id].nextMoment(limits)
        let old = jobs[id].timerAt
        guard moment != old else { return }
        if let old { timers.remove(RankedKey(old, id)) }
        if let moment { timers.insert(RankedKey(moment, id)) }
        jobs[id].timerAt = moment
    }

    func refuse(_ requester: Requester, _ error: QueueError, _ effects: inout [QueueEffect]) {
        effects.append(.reply(requester.connection, tag: requester.tag, .refused(error)))
    }
}
