// From the queue's snapshot to the stable document.
import QueueCore

extension StatusDocument {
    /// The document for a source.
    init(_ source: StatusSource, configuration: StatusConfiguration) {
        let queue = source.queue
        func job(_ report: JobReport) -> Job {
            Job(
                report, details: configuration.showsPrompts ? source.details(report.id) : nil,
                hasThumbnail: configuration.showsPrompts)
        }
        at = queue.at.unixSeconds
        broker = Broker(source, staleSeconds: configuration.staleSeconds)
        jobs = JobCounts(source)
        workers = queue.workers.map { Worker($0, at: queue.at) }
        running = queue.runningJobs.map(job)
        waiting = queue.waitingJobs.map(job)
        quarantined = queue.quarantinedJobs.map(job)
        recent = queue.endedJobs.reversed().map(job)
    }
}

extension Instant {
    /// Seconds since the epoch.
    var unixSeconds: Double { Double(microseconds) / 1e6 }
}

extension StatusSource {
    /// Whether the journal can be written and the loop turns.
    func isReady(staleSeconds: Double) -> Bool {
        queue.isJournalAvailable && process.loopSilence.seconds <= staleSeconds
    }

    /// How long the oldest waiting job has waited.
    var oldestWait: TimeSpan? {
        guard queue.waiting.reduce(0, +) > 0 else { return nil }
        let listed = queue.waitingJobs.map(\.acceptedAt).min()
        return (process.oldestAcceptedAt ?? listed).map { max(queue.at - $0, .zero) }
    }

    /// How long the workers need for all that waits: the latest estimated end, stretched to the
    /// jobs that the snapshot does not list.
    var backlog: TimeSpan? {
        let total = queue.waiting.reduce(0, +)
        guard total > 0 else { return .zero }
        guard let end = queue.waitingJobs.compactMap({ $0.estimate?.end }).max() else { return nil }
        let share = Double(total) / Double(max(queue.waitingJobs.count, 1))
        return TimeSpan(clamping: Double(max(end - queue.at, .zero).microseconds) * max(share, 1))
    }
}

extension StatusDocument.Broker {
    fileprivate init(_ source: StatusSource, staleSeconds: Double) {
        let commits = source.process.journalCommits
        let count = commits.counts.reduce(0, +)
        self.init(
            version: source.process.version, uptimeSeconds: source.process.uptime.seconds,
            isReady: source.isReady(staleSeconds: staleSeconds),
            isJournalAvailable: source.queue.isJournalAvailable,
            journalCommitSeconds: count == 0 ? nil : commits.sumSeconds / Double(count),
            droppedMessages: source.process.droppedMessages.values.reduce(0, &+),
            workersLost: source.queue.counters.workersLost,
            residentBytes: source.process.residentBytes, results: source.queue.results,
            resultBytes: source.queue.resultBytes)
    }
}

extension StatusDocument.JobCounts {
    fileprivate init(_ source: StatusSource) {
        let queue = source.queue
        let priorities = zip(Priority.allCases.map(\.name), queue.waiting)
        let refused = zip(QueueError.Code.allCases.map(\.rawValue), queue.counters.refusals)
        self.init(
            waiting: queue.waiting.reduce(0, +),
            waitingByPriority: Dictionary(priorities) { first, _ in first },
            parked: queue.parked, running: queue.running, quarantined: queue.quarantined,
            accepted: queue.counters.accepted,
            ended: Dictionary(
                zip(OutcomeCode.allCases.map(\.rawValue), queue.counters.outcomes)
            ) { first, _ in first },
            refused: Dictionary(refused.filter { $0.1 > 0 }) { first, _ in first },
            oldestWaitSeconds: source.oldestWait?.seconds, backlogSeconds: source.backlog?.seconds)
    }
}

extension DeathCause {
    /// What the worker did, for people.
    fileprivate var words: String {
        switch self {
        case .silent: "fell silent"
        case .hung: "hung"
        case .restarted: "restarted"
        }
    }
}

extension Priority {
    /// The name in documents and labels.
    var name: String {
        switch self {
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        }
    }
}

extension WorkerReport {
    /// What it is up to.
    func state(at now: Instant) -> StatusDocument.WorkerState {
        if isDraining { return .draining }
        if let until = pausedUntil, until > now { return .paused }
        return isReady ? .ready : .starting
    }

    /// Denoising steps of a 512x512 image in a second, once measured.
    var stepsPerSecond: Double? {
        let pixels = 512 * 512
        let tier = QueueLimits().pixelTiers.firstIndex { pixels <= $0 } ?? 0
        guard let span = costs.stepTime(pixels: pixels, tier: tier), span > .zero else {
            return nil
        }
        return 1 / span.seconds
    }
}

extension StatusDocument.Worker {
    fileprivate init(_ report: WorkerReport, at now: Instant) {
        self.init(
            name: report.description.name, state: report.state(at: now),
            silenceSeconds: max(report.silence, .zero).seconds,
            residentBytes: report.residentBytes, stepsPerSecond: report.stepsPerSecond,
            slots: report.description.slots, jobs: report.leases.map(\.lease.job.number),
            finishedJobs: report.finishedJobs, models: report.description.models.map(\.hash),
            numericsClass: report.description.numericsClass.name)
    }
}

extension StatusDocument.Job {
    fileprivate init(_ report: JobReport, details: JobDetails?, hasThumbnail: Bool) {
        var state = "expired"
        var message: String?
        switch report.state.phase {
        case .waiting: state = "waiting"
        case .leased: state = "running"
        case .quarantined(let quarantine):
            state = "quarantined"
            message =
                "took down workers: \(quarantine.deaths); the last, \(quarantine.worker), "
                + quarantine.cause.words
        case .ended(let ending):
            state = ending.code.rawValue
            if case .failed(let failure) = ending { message = failure.message }
        case .expired: break
        }
        let isCompleted = state == OutcomeCode.completed.rawValue
        let steps = report.shape.totalSteps
        self.init(
            id: report.id.number, client: report.client.name, request: report.request.key,
            prompt: details?.prompt, pixels: report.shape.pixels, width: details?.width,
            height: details?.height, seed: details?.seed, images: report.shape.images,
            step: isCompleted ? steps : report.step, steps: steps, priority: report.priority.name,
            state: state, message: message, worker: report.state.worker,
            attempts: report.state.attempt, acceptedAt: report.acceptedAt.unixSeconds,
            startedAt: report.state.startedAt?.unixSeconds,
            endedAt: report.state.endedAt?.unixSeconds, place: report.estimate?.place,
            hold: report.estimate?.hold?.rawValue,
            estimatedStartAt: report.estimate?.start?.unixSeconds,
            estimatedEndAt: report.estimate?.end?.unixSeconds,
            thumbnail: isCompleted && hasThumbnail
                ? "/jobs/\(report.id.number)/thumbnail" : nil)
    }
}
