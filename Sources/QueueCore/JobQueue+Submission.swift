// Accepting a job: once, within the limits, and only if its deadline can be met.

extension JobQueue {
    mutating func submit(
        _ submission: Submission, _ requester: Requester, _ allowance: ClientLimits,
        _ effects: inout [QueueEffect]
    ) {
        if repeatRequest(submission, requester, &effects) { return }
        do throws(QueueError) {
            try check(submission, requester)
            let owner = try admit(submission, requester, allowance)
            accept(submission, requester, owner, &effects)
        } catch {
            counters.refusals[error.code.position] += 1
            refuse(requester, error, &effects)
        }
    }

    /// Answers a request that was accepted before; returns whether it was.
    mutating func repeatRequest(
        _ submission: Submission, _ requester: Requester, _ effects: inout [QueueEffect]
    ) -> Bool {
        guard let owner = clients.number(of: requester.client),
            let id = requests[RequestKey(client: owner, request: submission.request)]
        else { return false }
        if jobs[id].row.fingerprint == submission.fingerprint {
            follow(id, requester, &effects)
        } else {
            counters.refusals[QueueError.Code.requestIDReused.position] += 1
            refuse(requester, .requestIDReused, &effects)
        }
        return true
    }

    /// Checks the fields before any memory is taken for them.
    private func check(
        _ submission: Submission, _ requester: Requester
    ) throws(QueueError) {
        try check(submission.shape)
        let names = [
            ("client", requester.client.name), ("request id", submission.request.key),
            ("model", submission.model?.hash ?? "any"),
            ("numerics class", submission.numericsClass?.name ?? "any"),
        ]
        for (field, name) in names where name.isEmpty || name.utf8.count > limits.nameBytes {
            throw .outOfRange(field + " length", name.utf8.count, limits.nameBytes)
        }
        guard submission.payload.count <= limits.payloadBytesPerJob else {
            throw .outOfRange("payload", submission.payload.count, limits.payloadBytesPerJob)
        }
    }

    private func check(_ shape: JobShape) throws(QueueError) {
        let largest = min(limits.pixels, limits.pixelTiers.last ?? 0)
        let ranges = [
            ("pixels", shape.pixels, largest), ("steps", shape.steps, limits.steps),
            ("images", shape.images, limits.images),
        ]
        for (field, value, limit) in ranges where value < 1 || value > limit {
            throw .outOfRange(field, value, limit)
        }
    }

    /// Checks the queue's, the client's and the deadline's limits; returns the client's number.
    private mutating func admit(
        _ submission: Submission, _ requester: Requester, _ allowance: ClientLimits
    ) throws(QueueError) -> UInt64 {
        let wait = min(max(endingInterval, .seconds(1)), .seconds(60))
        guard unfinished < limits.jobs else { throw .queueFull("jobs", limits.jobs, wait) }
        guard payloadBytes + submission.payload.count <= limits.payloadBytes else {
            throw .queueFull("bytes", limits.payloadBytes, wait)
        }
        guard let owner = clients.enter(requester.client, limit: limits.clients, at: now),
            line.lane(for: requirement(of: submission), isBounded: true) != nil
        else { throw .tooManyKinds }
        guard clients[owner].unfinished < allowance.queuedJobs else {
            throw .clientQueueFull(allowance.queuedJobs, wait)
        }
        clients[owner].drain(allowance, to: now)
        let pixels = Double(submission.shape.pixels) * Double(submission.shape.images)
        let pause = clients[owner].wait(for: pixels, allowance)
        guard pause == .zero else { throw .pixelBudgetSpent(allowance.pixelsPerHour, pause) }
        try checkDeadline(submission, owner)
        clients[owner].pixels += pixels
        return owner
    }

    private mutating func checkDeadline(
        _ submission: Submission, _ owner: UInt64
    ) throws(QueueError) {
        guard let deadline = submission.deadline else { return }
        let finish = clients[owner].finishTags[submission.priority.rawValue]
        let tag = line.startTag(after: finish, submission.priority)
        let ahead = line.ahead(turn: RankedKey(tag, lastJob + 1), priority: submission.priority)
        let needed = requirement(of: submission)
        let estimate = estimate(submission.shape, needed, ahead: ahead, done: 0)
        let end = estimate.end ?? now
        guard deadline > now, deadline >= end else { throw .deadlineUnreachable(end) }
    }

    private mutating func accept(
        _ submission: Submission, _ requester: Requester, _ owner: UInt64,
        _ effects: inout [QueueEffect]
    ) {
        lastJob += 1
        let row = DurableJob(
            id: JobID(number: lastJob), client: clients[owner].id, submission: submission,
            fingerprint: submission.fingerprint, acceptedAt: now, state: JobState())
        effects.append(.store(.accepted(row)))
        insert(row, owner)
        counters.accepted += 1
        enterLine(row.id, &effects)
        follow(row.id, requester, &effects)
        offer(row.id, &effects)
    }

    /// Corrects the shape of a job in the line that was never started. Its turn stays; shapes that
    /// no submission may have are passed over.
    mutating func reshape(_ id: JobID, _ shape: JobShape, _ effects: inout [QueueEffect]) {
        guard let job = jobs.find(id), job.ticket != nil, job.row.state.attempt == 0,
            shape != job.shape, (try? check(shape)) != nil
        else { return }
        leaveLine(id)
        let priority = job.row.submission.priority.rawValue
        clients[job.owner].finishTags[priority] += shape.workUnits - job.shape.workUnits
        jobs[id].row.submission.shape = shape
        effects.append(.store(.accepted(jobs[id].row)))
        enterLine(id, &effects)
        offer(id, &effects)
    }

    /// Enters a job into the table, the indices and the counts.
    mutating func insert(_ row: DurableJob, _ owner: UInt64) {
        let priority = row.submission.priority.rawValue
        let tag = line.startTag(after: clients[owner].finishTags[priority], row.submission.priority)
        let job = Job(row: row, owner: owner, startTag: tag)
        if job.isUnfinished {
            clients[owner].finishTags[priority] = tag + row.submission.shape.workUnits
            clients[owner].unfinished += 1
            unfinished += 1
            payloadBytes += row.submission.payload.count
        }
        clients.addJob(owner)
        jobs.insert(job)
        requests[RequestKey(client: owner, request: row.submission.request)] = row.id
        owned.insert(RankedKey(Int64(bitPattern: owner), row.id.number))
        arm(row.id)
    }

    /// What a worker must have for a submission.
    func requirement(of submission: Submission) -> Requirement {
        Requirement(
            model: submission.model, numericsClass: submission.numericsClass,
            tier: limits.tier(holding: submission.shape.pixels))
    }

    /// Puts a waiting job into the line.
    mutating func enterLine(_ id: JobID, _ effects: inout [QueueEffect]) {
        if jobs[id].row.state.resume != nil, jobs[id].row.state.origin == nil {
            // A journal of an earlier version does not say who made this.
            startOver(id, &effects)
        }
        let job = jobs[id]
        let submission = job.row.submission
        let overdue = job.row.acceptedAt + limits.overdueAfter[submission.priority.rawValue]
        guard let lane = line.lane(for: requirement(of: job), isBounded: false) else {
            preconditionFailure("an unbounded line has a lane for every job")
        }
        let ticket = Ticket(
            lane: lane, priority: submission.priority,
            turn: RankedKey(job.startTag, id.number), age: RankedKey(overdue, id),
            cost: submission.shape.workUnits)
        jobs[id].parkedUntil = nil
        jobs[id].ticket = ticket
        line.insert(ticket)
        awaitOrigin(id)
    }

    /// Takes a job out of the line, if it stands there.
    mutating func leaveLine(_ id: JobID) {
        guard let ticket = jobs[id].ticket else { return }
        line.remove(ticket)
        jobs[id].ticket = nil
    }
}
