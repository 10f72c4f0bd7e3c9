// A queue from its journal, after a restart or a failed transaction.

extension JobQueue {
    /// Rebuilds the queue that a journal describes.
    ///
    /// Jobs with a lease wait `reclaimGrace` for the worker that holds it: it keeps the job by
    /// naming the lease with its last attempt. After that they go to anyone, under the next
    /// attempt. Jobs that are not detached wait `reattachGrace` for a client. The pixels that
    /// remembered jobs took from their client's hour are counted again.
    ///
    /// - Parameters:
    ///   - journal: All rows, ascending by id.
    ///   - now: The time.
    ///   - effects: Receives what to do at once, such as outcomes to expire under new limits.
    /// - Throws: `QueueError` with code `journalInconsistent`.
    public init(
        recovering journal: JournalSnapshot, limits: QueueLimits = QueueLimits(), at now: Instant,
        into effects: inout [QueueEffect]
    ) throws(QueueError) {
        self.init(limits: limits)
        self.now = now
        lastJob = journal.lastJob
        var last = JobID(number: 0)
        for row in journal.jobs {
            guard row.id > last, row.id.number <= lastJob else {
                throw .inconsistent(row.id, "its id is out of order")
            }
            last = row.id
            try restore(row, &effects)
        }
    }

    private mutating func restore(
        _ row: DurableJob, _ effects: inout [QueueEffect]
    ) throws(QueueError) {
        guard let owner = clients.enter(row.client, limit: .max, at: now) else { return }
        let key = RequestKey(client: owner, request: row.submission.request)
        guard requests[key] == nil else {
            throw .inconsistent(row.id, "its request id belongs to another job")
        }
        let shape = row.submission.shape
        guard (1...Int(Int32.max)).contains(shape.pixels), (1...65_536).contains(shape.images),
            (1...65_536).contains(shape.steps)
        else { throw .inconsistent(row.id, "its shape is impossible") }
        let id = row.id
        insert(row, owner)
        if now - row.acceptedAt < .seconds(3600) {
            clients[owner].pixels += Double(shape.pixels) * Double(shape.images)
        }
        switch row.state.phase {
        case .waiting:
            enterLine(id, &effects)
            abandonIfAlone(id, after: limits.reattachGrace)
        case .leased:
            leased.insert(RankedKey(0, id.number))
            park(id, for: limits.reclaimGrace)
            abandonIfAlone(id, after: limits.reattachGrace)
        case .quarantined(let quarantine): quarantined.insert(RankedKey(quarantine.since, id))
        case .ended(let ending): keepOutcome(id, ending, &effects)
        case .expired: tombstones.insert(RankedKey(row.state.endedAt ?? now, id))
        }
    }
}

extension QueueError {
    static func inconsistent(_ id: JobID, _ what: String) -> QueueError {
        QueueError(
            .journalInconsistent, what, at: "journal, job \(id.number)",
            remedy: "restore the journal from a backup")
    }
}
