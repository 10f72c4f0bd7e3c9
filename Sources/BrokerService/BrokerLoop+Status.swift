// Questions about the service: status, lists of jobs, quarantine, and the status pages' board.

import QueueCore
import WireProtocol

extension BrokerLoop {
    /// Jobs in a list of which the client named no number.
    private static let defaultListLength = 100
    /// Jobs that one list looks at for those of the wished states.
    private static let longestScan = 10_000

    func answer(
        _ request: ClientMessage, _ connection: ConnectionID, client: ClientID, isAdmin: Bool
    ) {
        func reply(_ reply: ServerMessage.Reply) {
            turn.actions.append(
                .reply(connection, ServerMessage(correlation: request.correlation, reply)))
        }
        switch request.request {
        case .getStatus: reply(.status(serviceStatus()))
        case .listJobs(let wish):
            guard isAdmin || !wish.allClients else {
                let error = ServiceError(
                    code: .notAuthorized, field: "list_jobs.all_clients",
                    sentence: "Only an admin may list everyone's jobs.")
                return reply(.failed(JobFailed(error: error)))
            }
            reply(.jobs(list(wish, client)))
        default: break
        }
    }

    private func list(_ wish: ListJobsRequest, _ client: ClientID) -> JobList {
        let limit = wish.limit == 0 ? Self.defaultListLength : Int(wish.limit)
        let wanted = min(limit, WireLimits.jobs)
        let states = Set(wish.states)
        var found: [JobSummary] = []
        var last = JobID(number: wish.afterJobID)
        var scanned = 0
        while scanned < Self.longestScan {
            let page =
                wish.allClients
                ? queue.allJobs(after: last, limit: wanted + 1)
                : queue.jobs(of: client, after: last, limit: wanted + 1)
            for report in page {
                guard states.isEmpty || states.contains(.init(report.state.phase)) else {
                    continue
                }
                if found.count == wanted { return JobList(jobs: found, more: true) }
                found.append(summary(report))
            }
            guard let end = page.last, page.count == wanted + 1 else {
                return JobList(jobs: found, more: false)
            }
            scanned += page.count
            last = end.id
        }
        return JobList(jobs: found, more: true)
    }

    private func summary(_ report: JobReport) -> JobSummary {
        let payload = queue.row(of: report.id)?.submission.payload ?? []
        let request = Submission.request(in: payload)
        let known = request.map(RequestSummary.init) ?? recentRequests[report.id]
        var error: ServiceError?
        switch report.state.phase {
        case .ended(.failed(let failure)): error = ServiceError(failure)
        case .quarantined(let quarantine): error = ServiceError(quarantine)
        default: break
        }
        return JobSummary(
            jobID: report.id.number, requestID: report.request.shown,
            client: report.client == Self.anyone ? "" : report.client.name,
            state: .init(report.state.phase), priority: report.priority.wire,
            placeInQueue: report.estimate.map { UInt32(clamping: $0.place) },
            submittedUnixMilliseconds: UInt64(max(0, report.acceptedAt.microseconds) / 1000),
            step: UInt32(clamping: report.step),
            steps: UInt32(clamping: report.shape.totalSteps), attempts: report.state.attempt,
            worker: report.state.worker ?? "", width: known?.width ?? 0,
            height: known?.height ?? 0, imageCount: UInt32(clamping: report.shape.images),
            promptExcerpt: known?.excerpt ?? "", error: error,
            hold: JobHold(report.estimate?.hold))
    }

    func quarantinedJob(_ report: JobReport, payload: [UInt8]?) -> QuarantinedJob {
        var deaths: [WorkerDeath] = []
        if case .quarantined(let quarantine) = report.state.phase {
            deaths = [
                WorkerDeath(
                    attempt: report.state.attempt, worker: quarantine.worker,
                    cause: quarantine.cause.rawValue, step: UInt32(clamping: report.step),
                    unixMilliseconds: UInt64(max(0, quarantine.since.microseconds) / 1000))
            ]
        }
        return QuarantinedJob(
            job: summary(report), deaths: deaths,
            request: payload.flatMap { Submission.request(in: $0) })
    }

    private func serviceStatus() -> ServiceStatus {
        let snapshot = queue.snapshot(jobLimit: 0)
        var (completed, failed, cancelled): (UInt64, UInt64, UInt64) = (0, 0, 0)
        var failures: [OutcomeCount] = []
        for (code, count) in zip(OutcomeCode.allCases, snapshot.counters.outcomes) {
            switch code {
            case .completed: completed += count
            case .cancelledByOwner, .cancelledByAdmin, .abandoned: cancelled += count
            case .deadlineExceeded, .permanentError, .errorsExhausted, .discarded:
                failed += count
                let failure = JobFailure(code: code, workerCode: nil, message: "")
                let wire = ServiceError(failure).code
                if let index = failures.firstIndex(where: { $0.code == wire }) {
                    failures[index].count += count
                } else if count > 0 {
                    failures.append(OutcomeCount(code: wire, count: count))
                }
            }
        }
        let now = clock.now
        return ServiceStatus(
            version: configuration.version,
            uptimeMilliseconds: (now - startedAt).milliseconds,
            accepting: snapshot.isJournalAvailable && store.availableBytes > 0 && !isStopping,
            queued: UInt64(snapshot.waiting.reduce(0, +) + max(0, snapshot.parked)),
            running: UInt64(snapshot.running), quarantined: UInt64(snapshot.quarantined),
            queueCapacity: UInt64(queue.limits.jobs), completed: completed, failed: failed,
            cancelled: cancelled, failuresByCode: failures,
            workers: snapshot.workers.prefix(WireLimits.workers).map { workerStatus($0, now) },
            droppedMessages: sockets.dropped, journalSecondsMedian: journal.medianSeconds,
            estimatedWaitMilliseconds: snapshot.waitingJobs.last?.estimate?.start.map {
                ($0 - now).milliseconds
            })
    }

    private func workerStatus(_ report: WorkerReport, _ now: Instant) -> WorkerStatus {
        let details = workerPeers[report.id]?.worker?.details
        let lease = report.leases.first
        let shape = lease.flatMap { queue.row(of: $0.lease.job)?.submission.shape }
        var state = WorkerState.idle
        if !report.isReady { state = .starting }
        if lease != nil { state = .busy }
        if report.isDraining { state = .draining }
        if details == nil { state = .lost }
        return WorkerStatus(
            name: report.description.name, host: details?.host ?? "", state: state,
            modelName: details?.modelName ?? "", modelHash: details?.modelHash ?? "",
            numericsClass: report.description.numericsClass.name,
            jobID: lease?.lease.job.number ?? 0, attempt: lease?.lease.attempt ?? 0,
            step: UInt32(clamping: lease?.step ?? 0),
            steps: UInt32(clamping: shape?.totalSteps ?? 0), secondsAStep: details?.secondsAStep,
            residentBytes: UInt64(max(0, report.residentBytes)),
            connectedMilliseconds: details.map { (now - $0.connectedAt).milliseconds } ?? 0,
            lastHeardMilliseconds: report.silence.milliseconds,
            jobsCompleted: UInt64(report.finishedJobs))
    }

    /// What jobs ask for: as remembered, or else from the payloads that the queue still has.
    private func summaries(of jobs: [JobReport]) -> [JobID: RequestSummary] {
        var summaries: [JobID: RequestSummary] = [:]
        for job in jobs {
            if recentRequests[job.id] == nil,
                let payload = queue.row(of: job.id)?.submission.payload,
                let request = Submission.request(in: payload)
            {
                recentRequests.note(job.id, request)
            }
            summaries[job.id] = recentRequests[job.id]
        }
        return summaries
    }

    /// Everything, for the board.
    func status() -> BrokerStatus {
        let snapshot = queue.snapshot().shown
        let requests = summaries(of: snapshot.listedJobs)
        let process = ProcessMetrics.measure()
        sockets.clientConnections = clients.count
        sockets.workerConnections = workers.count
        sockets.refusedKeys = authenticator?.refusedCount ?? 0
        let waiting = clients.waiting + workers.waiting
        sockets.waitingReplies = waiting.reduce(0) { $0 + $1.outbox.count }
        sockets.waitingBytes = waiting.reduce(0) { $0 + $1.outbox.bytes }
        journal.fileBytes = store.byteCount()
        return BrokerStatus(
            queue: snapshot, queueCapacity: queue.limits.jobs, requests: requests,
            workers: workerPeers.compactMapValues { $0.worker?.details },
            process: ProcessMetrics(
                version: configuration.version, startedAt: startedAt,
                residentBytes: process.residentBytes,
                processorSeconds: process.processorSeconds, turns: turns),
            journal: journal, sockets: sockets)
    }
}

extension QueueSnapshot {
    /// All jobs of all lists.
    var listedJobs: [JobReport] { waitingJobs + runningJobs + quarantinedJobs + endedJobs }

    /// The same without names that the broker made up for those who gave none.
    var shown: QueueSnapshot {
        var snapshot = self
        snapshot.waitingJobs = waitingJobs.map(\.shown)
        snapshot.runningJobs = runningJobs.map(\.shown)
        snapshot.quarantinedJobs = quarantinedJobs.map(\.shown)
        snapshot.endedJobs = endedJobs.map(\.shown)
        return snapshot
    }
}

extension JobReport {
    /// The same with empty names where the client gave none.
    fileprivate var shown: JobReport {
        var report = self
        report.request = RequestID(key: request.shown)
        if client == BrokerLoop.anyone { report.client = ClientID(name: "") }
        return report
    }
}
