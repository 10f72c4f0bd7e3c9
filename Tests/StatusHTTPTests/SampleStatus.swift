// A made-up queue that shows every kind of thing the pages can show.
@testable import QueueCore
@testable import StatusHTTP

enum SampleStatus {
    static let hostilePrompt =
        "</b><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    static let now = Instant(microseconds: 1_900_000_000_000_000)

    /// A source with jobs of all states; `change` may alter its queue, and the loop may have been
    /// silent for a time.
    static func source(
        silence: TimeSpan = .zero, _ change: (inout QueueSnapshot) -> Void = { _ in }
    ) -> StatusSource {
        var queue = queue
        change(&queue)
        var process = ProcessFacts(version: "1.2.3", now: now, uptime: .seconds(93_784))
        process.loopSilence = silence
        for millisecond in 1...40 {
            process.journalCommits.observe(seconds: Double(millisecond) / 4000)
        }
        process.droppedMessages = ["oversized": 2, "undecodable": 3]
        process.residentBytes = 48 << 20
        process.queueCapacity = 100_000
        process.journalFileBytes = 2 << 30
        return StatusSource(
            queue: queue, process: process, details: { details(of: $0) },
            thumbnail: { $0.number < 100 ? SamplePNG.gradient(seed: $0.number) : nil })
    }

    /// The second of the running jobs completes.
    static func endOne(_ queue: inout QueueSnapshot) {
        queue.runningJobs.removeLast()
        queue.running -= 1
        queue.endedJobs.append(ended(40))
    }

    static func details(of id: JobID) -> JobDetails? {
        let prompts = [
            "a red fox in the snow, golden hour", "a lighthouse on a cliff, oil painting",
            hostilePrompt, "two cats playing chess, isometric, soft light, very detailed fur",
            "مدينة في الليل", "一只在雪地里的红狐狸", "a teapot", "",
        ]
        let prompt = prompts[Int(id.number % UInt64(prompts.count))]
        return JobDetails(prompt: prompt, width: 512, height: 512, seed: id.number)
    }

    private static var queue: QueueSnapshot {
        var counters = QueueCounters()
        counters.accepted = 12_408
        counters.outcomes = [12_301, 40, 2, 9, 3, 1, 2, 0]
        counters.refusals[1] = 17
        counters.workersLost = 2
        counters.freshStarts = 4
        counters.deaths = 1
        for second in 1...200 {
            counters.waitingTimes.observe(.milliseconds(Int64(second) * 113))
            counters.runningTimes.observe(.milliseconds(Int64(second) * 40))
        }
        return QueueSnapshot(
            at: now, waiting: [1, 118, 4], parked: 1, running: 2, quarantined: 1, results: 5_120,
            resultBytes: 1_610_612_736, payloadBytes: 40_960, watches: 12,
            isJournalAvailable: true, workers: workers, waitingJobs: (41...46).map(waiting),
            runningJobs: [running(39, step: 5), running(40, step: 1)],
            quarantinedJobs: [quarantined(29)],
            endedJobs: (30...38).map(ended), counters: counters)
    }

    private static var workers: [WorkerReport] {
        [("worker-1", true, false), ("worker-2", true, false), ("worker \"3\"\\<b>", false, true)]
            .enumerated().map { index, row in
                var costs = CostModel(tierCount: 7)
                if index < 2 {
                    costs.observeSteps(
                        8, pixels: 512 * 512, tier: 1,
                        span: .milliseconds(2400 + 700 * Int64(index)))
                }
                let lease = LeaseID(job: JobID(number: UInt64(39 + index)), attempt: 1)
                return WorkerReport(
                    id: WorkerID(number: UInt64(index)),
                    description: WorkerDescription(
                        name: row.0, incarnation: 7, models: [ModelID(hash: "5e884898")],
                        numericsClass: NumericsClass(name: "bf16-avx2"), pixels: 1024 * 1024),
                    silence: .milliseconds(140 + 320 * Int64(index)), isReady: row.1,
                    isDraining: row.2, pausedUntil: nil, residentBytes: 3_221_225_472,
                    leases: index < 2 ? [HeldLease(lease: lease, step: 3)] : [], revokedLeases: 0,
                    costs: costs, finishedJobs: 6_150 - 40 * index)
            }
    }

    private static func report(_ number: Int, step: Int, _ state: JobState) -> JobReport {
        JobReport(
            id: JobID(number: UInt64(number)), client: ClientID(name: "studio <i>north</i>"),
            request: RequestID(key: "request-\(number)"),
            shape: JobShape(pixels: 512 * 512, steps: 8, images: number % 3 == 0 ? 2 : 1),
            priority: number % 4 == 0 ? .high : .normal,
            acceptedAt: Instant(microseconds: now.microseconds - 41_000_000), step: step,
            state: state,
            estimate: JobEstimate(
                place: max(number - 40, 0), start: now + .seconds(Int64(number - 36)),
                end: now + .seconds(Int64(number - 33)), hold: nil))
    }

    private static func waiting(_ number: Int) -> JobReport {
        var report = report(number, step: 0, JobState())
        if number == 46 {
            report.estimate = JobEstimate(place: 5, start: nil, end: nil, hold: .modelNotLoaded)
        }
        return report
    }

    private static func running(_ number: Int, step: Int) -> JobReport {
        var state = JobState()
        state.phase = .leased
        state.attempt = number == 40 ? 2 : 1
        state.worker = "worker-\(number - 38)"
        state.startedAt = Instant(microseconds: now.microseconds - 2_000_000)
        return report(number, step: step, state)
    }

    private static func quarantined(_ number: Int) -> JobReport {
        var state = JobState()
        state.attempt = 3
        state.worker = "worker-2"
        state.startedAt = Instant(microseconds: now.microseconds - 600_000_000)
        state.phase = .quarantined(
            Quarantine(
                deaths: 3, cause: .silent, worker: "worker-2",
                since: Instant(microseconds: now.microseconds - 540_000_000)))
        return report(number, step: 2, state)
    }

    private static func ended(_ number: Int) -> JobReport {
        var state = JobState()
        state.attempt = 1
        state.worker = "worker-1"
        state.startedAt = Instant(microseconds: now.microseconds - 9_000_000)
        state.endedAt = Instant(microseconds: now.microseconds - 6_000_000)
        let result = ResultSummary(blob: BlobHandle(number: UInt64(number)), byteCount: 400_000)
        state.phase = .ended(.completed(result))
        if number == 35 {
            let failure = JobFailure(
                code: .errorsExhausted, workerCode: "outOfMemory",
                message: "The decoder needs 9 GiB; <b>use</b> tiling.")
            state.phase = .ended(.failed(failure))
        }
        if number == 33 { state.phase = .ended(.cancelled(.byOwner)) }
        return report(number, step: 8, state)
    }
}
