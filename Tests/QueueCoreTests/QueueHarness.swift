// A queue with a clock that the test turns, and the effects of the last event.

@testable import QueueCore

struct QueueHarness {
    var queue: JobQueue
    var now = Instant(microseconds: 1_000_000_000)
    var effects: [QueueEffect] = []
    var sequence: UInt64 = 0

    init(_ configure: (inout QueueLimits) -> Void = { _ in }) {
        var limits = QueueLimits()
        configure(&limits)
        queue = JobQueue(limits: limits)
    }

    @discardableResult
    mutating func apply(_ event: QueueEvent) -> [QueueEffect] {
        effects = []
        queue.apply(event, at: now, into: &effects)
        return effects
    }

    /// Lets time pass, ticking whenever the queue asks for it.
    mutating func wait(_ span: TimeSpan, beating workers: [UInt64] = []) {
        let end = now + span
        var all: [QueueEffect] = []
        var beat = now + .seconds(1)
        while true {
            let next = min(queue.nextDeadline ?? end, workers.isEmpty ? end : beat)
            guard next <= end else { break }
            now = max(now, next)
            if now >= beat {
                beat = beat + .seconds(1)
                for worker in workers { all += self.beat(worker) }
            }
            let deadline = queue.nextDeadline
            all += apply(.timePassed)
            if now >= end, queue.nextDeadline.map({ $0 > now }) ?? true { break }
            if deadline == nil && workers.isEmpty { break }
        }
        now = end
        effects = all
    }

    static func client(
        _ name: String = "ann", connection: UInt64 = 1, tag: UInt64 = 0, isAdmin: Bool = false
    ) -> Requester {
        Requester(
            connection: ConnectionID(number: connection), client: ClientID(name: name),
            isAdmin: isAdmin, tag: tag)
    }

    static func job(
        _ key: String, pixels: Int = 256 * 256, steps: Int = 4, priority: Priority = .normal,
        model: String? = nil, deadline: Instant? = nil, isDetached: Bool = false,
        payload: [UInt8] = [1, 2, 3]
    ) -> Submission {
        Submission(
            request: RequestID(key: key), shape: JobShape(pixels: pixels, steps: steps),
            model: model.map { ModelID(hash: $0) }, priority: priority, deadline: deadline,
            isDetached: isDetached, payload: payload)
    }

    /// Submits and returns the job's id, or the refusal.
    @discardableResult
    mutating func submit(
        _ submission: Submission, by requester: Requester = client(),
        limits: ClientLimits = .unlimited
    ) -> Result<JobID, QueueError> {
        apply(.submitted(submission, by: requester, limits: limits))
        for case .reply(_, _, let reply) in effects {
            if case .accepted(let id, _) = reply { return .success(id) }
            if case .ended(let id, _, _) = reply { return .success(id) }
            if case .refused(let error) = reply { return .failure(error) }
        }
        return .success(JobID(number: 0))
    }

    mutating func register(
        _ number: UInt64, name: String? = nil, incarnation: UInt64 = 1, models: [String] = ["m"],
        numericsClass: String = "c", pixels: Int = 1024 * 1024, slots: Int = 1,
        held: [HeldLease] = []
    ) {
        sequence += 1
        let description = WorkerDescription(
            name: name ?? "w\(number)", incarnation: incarnation,
            models: models.map { ModelID(hash: $0) },
            numericsClass: NumericsClass(name: numericsClass),
            pixels: pixels, slots: slots)
        let heartbeat = Heartbeat(sequence: sequence, held: held)
        apply(.workerRegistered(WorkerID(number: number), description, heartbeat))
    }

    @discardableResult
    mutating func beat(_ number: UInt64, isDraining: Bool = false) -> [QueueEffect] {
        sequence += 1
        let id = WorkerID(number: number)
        let held = queue.workers[id]?.leases.map { HeldLease(lease: $0.id, step: $0.step) } ?? []
        return apply(
            .heartbeatReceived(
                id, Heartbeat(sequence: sequence, isDraining: isDraining, held: held)))
    }

    mutating func complete(_ worker: UInt64, _ lease: LeaseID, bytes: Int64 = 100) {
        sequence += 1
        let result = ResultSummary(blob: BlobHandle(number: sequence), byteCount: bytes)
        apply(.leaseCompleted(WorkerID(number: worker), lease, result))
    }

    mutating func step(_ worker: UInt64, _ lease: LeaseID, _ step: Int, blob: UInt64? = nil) {
        let resume = blob.map { ResumePoint(step: step, blob: BlobHandle(number: $0)) }
        apply(
            .stepReported(
                WorkerID(number: worker), lease, step: step, resume: resume, preview: nil))
    }

    /// The leases sent by the last event.
    var leases: [Lease] {
        effects.compactMap { if case .sendLease(_, let lease) = $0 { lease } else { nil } }
    }
    /// The answers given by the last event.
    var replies: [ClientReply] {
        effects.compactMap { if case .reply(_, _, let reply) = $0 { reply } else { nil } }
    }
    var endings: [JobEnding] {
        replies.compactMap { if case .ended(_, let ending, _) = $0 { ending } else { nil } }
    }
    var refusals: [QueueError.Code] {
        replies.compactMap { if case .refused(let error) = $0 { error.code } else { nil } }
    }

    func state(_ number: UInt64) -> JobState? {
        queue.report(on: JobID(number: number))?.state
    }
}
