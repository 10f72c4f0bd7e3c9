// Questions of the I/O loop that change nothing.

extension JobQueue {
    /// A job's row; nil where the queue does not remember it.
    public func row(of id: JobID) -> DurableJob? { jobs.find(id)?.row }

    /// The job that a client's key names; nil where there is none.
    public func job(named request: RequestID, of client: ClientID) -> JobID? {
        guard let owner = clients.number(of: client) else { return nil }
        return requests[RequestKey(client: owner, request: request)]
    }

    /// Everybody's jobs with ids above `last`, ascending, at most `limit`.
    ///
    /// It takes a look at each remembered client, so it is for admins.
    public func allJobs(after last: JobID?, limit: Int) -> [JobReport] {
        var ids: [JobID] = []
        var key = RankedKey(.min, 0)
        while let first = owned.next(after: key) {
            key = RankedKey(first.major, last?.number ?? 0)
            var count = 0
            while count < limit, let next = owned.next(after: key), next.major == first.major {
                ids.append(JobID(number: next.minor))
                key = next
                count += 1
            }
            key = RankedKey(first.major, .max)
        }
        return ids.sorted().prefix(limit).map { report(on: jobs[$0]) }
    }

    /// Jobs in the line that were never started, in the order of their acceptance.
    public var unbegunJobs: [JobID] {
        var ids: [JobID] = []
        for lane in line.lanes {
            var next = lane.ages.first
            while let key = next {
                let id = JobID(number: key.minor)
                if jobs[id].row.state.attempt == 0 { ids.append(id) }
                next = lane.ages.next(after: key)
            }
        }
        return ids.sorted()
    }

    /// Counts a submission that the I/O loop refused before the queue saw it.
    public mutating func countRefusal(_ code: QueueError.Code) {
        counters.refusals[code.position] += 1
    }
}
