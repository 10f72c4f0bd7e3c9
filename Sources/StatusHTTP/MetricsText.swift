// The metrics of `/metrics`. Names and units are a promise; `docs/operations.md` explains them.
import QueueCore

/// Writes a source as Prometheus text.
enum MetricsText {
    /// All families.
    static func make(_ source: StatusSource, configuration: StatusConfiguration) -> String {
        var text = PrometheusText()
        writeProcess(source, configuration, into: &text)
        writeQueue(source, into: &text)
        writeEndings(source.queue.counters, into: &text)
        writeWorkers(source.queue, into: &text)
        return text.text
    }

    private static func writeProcess(
        _ source: StatusSource, _ configuration: StatusConfiguration,
        into text: inout PrometheusText
    ) {
        let process = source.process
        text.family("turbine_build_info", .gauge, "Always 1; the version is a label.")
        text.sample("turbine_build_info", [("version", process.version)], 1)
        text.single(
            "turbine_uptime_seconds", .gauge, "Time since the broker's start.",
            process.uptime.seconds)
        text.single(
            "turbine_ready", .gauge, "1 if the broker accepts jobs, as /readyz says.",
            source.isReady(staleSeconds: configuration.staleSeconds) ? 1 : 0)
        text.single(
            "turbine_snapshot_age_seconds", .gauge, "Age of the state that these figures show.",
            max(process.now - source.queue.at, .zero).seconds)
        if let bytes = process.residentBytes {
            text.single(
                "turbine_resident_memory_bytes", .gauge, "Resident memory of the broker.",
                Double(bytes))
        }
        text.single(
            "turbine_journal_available", .gauge, "1 if the journal can be written.",
            source.queue.isJournalAvailable ? 1 : 0)
        if let bytes = process.journalFileBytes {
            text.single(
                "turbine_journal_file_bytes", .gauge, "Size of the journal, results included.",
                Double(bytes))
        }
        let commits = process.journalCommits
        text.histogram(
            "turbine_journal_commit_seconds", "Duration of the journal's transactions.",
            bounds: commits.bounds, counts: commits.counts, sum: commits.sumSeconds)
        text.family(
            "turbine_messages_dropped_total", .counter,
            "Messages not delivered or not understood.")
        for (reason, count) in process.droppedMessages.sorted(by: { $0.key < $1.key }) {
            text.sample("turbine_messages_dropped_total", [("reason", reason)], Double(count))
        }
    }

    private static func writeQueue(_ source: StatusSource, into text: inout PrometheusText) {
        let queue = source.queue
        text.family("turbine_jobs_waiting", .gauge, "Jobs in the line.")
        for (priority, count) in zip(Priority.allCases, queue.waiting) {
            text.sample("turbine_jobs_waiting", [("priority", priority.name)], Double(count))
        }
        if let capacity = source.process.queueCapacity {
            text.single(
                "turbine_queue_capacity_jobs", .gauge, "Jobs that may be unfinished at a time.",
                Double(capacity))
        }
        let gauges: [(String, String, Double)] = [
            ("turbine_jobs_parked", "Jobs that pause after an error.", Double(queue.parked)),
            ("turbine_jobs_running", "Jobs with a worker.", Double(queue.running)),
            (
                "turbine_jobs_quarantined", "Jobs that took down workers; an operator decides.",
                Double(queue.quarantined)
            ),
            (
                "turbine_oldest_wait_seconds", "How long the oldest waiting job has waited.",
                source.oldestWait?.seconds ?? 0
            ),
            ("turbine_results_stored", "Outcomes kept.", Double(queue.results)),
            ("turbine_results_stored_bytes", "Size of the outcomes.", Double(queue.resultBytes)),
            (
                "turbine_payload_bytes", "Size of the requests of unfinished jobs.",
                Double(queue.payloadBytes)
            ),
            ("turbine_watches", "Connections attached to jobs.", Double(queue.watches)),
        ]
        for (name, help, value) in gauges { text.single(name, .gauge, help, value) }
        text.family(
            "turbine_backlog_seconds", .gauge,
            "Estimated time for all that waits; no series where nothing was measured.")
        if let backlog = source.backlog {
            text.sample("turbine_backlog_seconds", [], backlog.seconds)
        }
    }

    private static func writeEndings(_ counters: QueueCounters, into text: inout PrometheusText) {
        text.single(
            "turbine_jobs_accepted_total", .counter, "Jobs accepted.", Double(counters.accepted))
        text.family("turbine_jobs_ended_total", .counter, "Jobs ended, by outcome.")
        for (code, count) in zip(OutcomeCode.allCases, counters.outcomes) {
            text.sample("turbine_jobs_ended_total", [("outcome", code.rawValue)], Double(count))
        }
        text.family(
            "turbine_submissions_refused_total", .counter, "Requests refused, by error code.")
        for (code, count) in zip(QueueError.Code.allCases, counters.refusals) {
            text.sample(
                "turbine_submissions_refused_total", [("code", code.rawValue)], Double(count))
        }
        text.single(
            "turbine_workers_lost_total", .counter, "Workers that went silent.",
            Double(counters.workersLost))
        text.single(
            "turbine_worker_deaths_total", .counter,
            "Jobs that a worker's death or hang interrupted.", Double(counters.deaths))
        text.single(
            "turbine_jobs_started_over_total", .counter,
            "Jobs that gave up what was made of them and began again.",
            Double(counters.freshStarts))
        let histograms = [
            (
                "turbine_job_wait_seconds", "From acceptance to the first start.",
                counters.waitingTimes
            ),
            (
                "turbine_job_run_seconds", "From the last start to completion.",
                counters.runningTimes
            ),
        ]
        for (name, help, histogram) in histograms {
            text.histogram(
                name, help, bounds: TimeHistogram.bounds.map(\.seconds), counts: histogram.counts,
                sum: histogram.sum.seconds)
        }
    }

    private static func writeWorkers(_ queue: QueueSnapshot, into text: inout PrometheusText) {
        let states = queue.workers.map { $0.state(at: queue.at) }
        text.family("turbine_workers", .gauge, "Connected workers, by state.")
        for state in StatusDocument.WorkerState.allCases {
            let count = states.count { $0 == state }
            text.sample("turbine_workers", [("state", state.rawValue)], Double(count))
        }
        // A name that stands for two connections for a moment must not make two series.
        var names: Set<String> = []
        let workers = queue.workers.reversed().filter { names.insert($0.description.name).inserted }
            .reversed()
        let families: [(String, PrometheusText.Kind, String, @Sendable (WorkerReport) -> Double?)] =
            [
                (
                    "turbine_worker_steps_per_second", .gauge,
                    "Denoising steps of a 512x512 image in a second, once measured.",
                    { $0.stepsPerSecond }
                ),
                (
                    "turbine_worker_resident_memory_bytes", .gauge, "Resident memory of a worker.",
                    { Double($0.residentBytes) }
                ),
                (
                    "turbine_worker_silence_seconds", .gauge, "Time since the last heartbeat.",
                    { max($0.silence, .zero).seconds }
                ),
                (
                    "turbine_worker_jobs", .gauge, "Jobs that a worker has.",
                    { Double($0.leases.count) }
                ),
                (
                    "turbine_worker_jobs_completed_total", .counter,
                    "Jobs that a worker completed since it connected.",
                    { Double($0.finishedJobs) }
                ),
            ]
        for (name, kind, help, value) in families {
            text.family(name, kind, help)
            for worker in workers {
                guard let number = value(worker) else { continue }
                text.sample(name, [("worker", worker.description.name)], number)
            }
        }
    }
}
