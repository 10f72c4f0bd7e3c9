// Simulated clients: they submit, retry under the same id, cancel, vanish and attach again.

@testable import QueueCore

final class SimulatedClient {
    struct Open {
        let submission: Submission
        var job: JobID?
        var ending: JobEnding?
        /// The client forgot it, as one that never returns.
        var isQuiet = false
    }

    unowned let world: BrokerSimulation
    let id: ClientID
    let isAdmin: Bool
    var connection = ConnectionID(number: 0)
    var open: [UInt64: Open] = [:]
    private var serial: UInt64 = 0
    private let burst: Int

    init(_ world: BrokerSimulation, index: Int) {
        self.world = world
        id = ClientID(name: "client-\(index)")
        isAdmin = index == 0
        burst = index == 1 ? 12 : 1
        loseConnection()
        planAction()
    }

    func requester(tag: UInt64) -> Requester {
        Requester(connection: connection, client: id, isAdmin: isAdmin, tag: tag)
    }

    func loseConnection() {
        world.lastConnection += 1
        connection = ConnectionID(number: world.lastConnection)
    }

    private func planAction() {
        let pause = world.random.number(1...(2_000 * world.weather.submitSeconds))
        world.post(after: Int64(pause) * 1_000) { [unowned self] in
            guard world.isStormy else { return }
            act()
            planAction()
        }
    }

    private func act() {
        let tags = open.keys.sorted()
        let chosen = tags.isEmpty ? nil : tags[world.random.number(0...(tags.count - 1))]
        switch world.random.number(0...19) {
        case 0...13:
            for _ in 0..<world.random.number(1...burst) where open.count < 60 { submit() }
        case 14, 15: if let chosen { cancel(chosen) }
        case 16: disconnect()
        case 17: isAdmin ? cancelAnyone() : world.discardQuarantine()
        default: if let chosen { ask(chosen) }
        }
    }

    private func submit() {
        serial += 1
        let natures: [JobNature] = [.poison, .broken, .flaky, .flaky]
        let isOdd = world.random.chance(0.05)
        let nature = isOdd ? natures[world.random.number(0...3)] : .harmless
        let images = world.random.chance(0.3) ? world.random.number(2...3) : 1
        let steps = world.random.number(1...(12 / images))
        let submission = Submission(
            request: RequestID(key: "\(id.name)/\(serial)"),
            shape: JobShape(
                pixels: [256 * 256, 512 * 512, 1024 * 1024][world.random.number(0...2)],
                steps: steps, images: images),
            model: [nil, ModelID(hash: "a"), ModelID(hash: "b")][world.random.number(0...2)],
            priority: Priority.allCases[world.random.number(0...2)],
            deadline: world.random.chance(0.1) ? deadline() : nil,
            isDetached: world.random.chance(0.3),
            payload: [nature.rawValue, UInt8(steps), UInt8(images)]
                + [UInt8](repeating: 7, count: 19))
        open[serial] = Open(submission: submission)
        ask(serial)
        remind(serial)
    }

    private func deadline() -> Instant {
        Instant(microseconds: world.now) + .seconds(Int64(world.random.number(5...600)))
    }

    /// Submits, or repeats it: the same thing.
    private func ask(_ tag: UInt64) {
        guard let item = open[tag] else { return }
        let requester = requester(tag: tag)
        if item.job != nil && world.random.chance(0.5) {
            let reference = JobReference.request(item.submission.request)
            world.sendToBroker { .attachRequested(reference, by: requester) }
        } else {
            let limits = ClientLimits(queuedJobs: 60, pixelsPerHour: 2_000_000_000)
            world.sendToBroker { .submitted(item.submission, by: requester, limits: limits) }
        }
    }

    private func remind(_ tag: UInt64) {
        world.post(after: Int64(world.random.number(20...120)) * 1_000_000) { [unowned self] in
            guard let item = open[tag] else { return }
            if !item.isQuiet || !world.isStormy { ask(tag) }
            remind(tag)
        }
    }

    private func cancel(_ tag: UInt64) {
        guard let item = open[tag] else { return }
        let requester = requester(tag: tag)
        let reference = JobReference.request(item.submission.request)
        world.sendToBroker { .cancelRequested(reference, by: requester) }
    }

    private func cancelAnyone() {
        let last = Int(world.queue.lastJob)
        let job = JobID(number: UInt64(max(1, last - world.random.number(0...20))))
        let requester = requester(tag: 0)
        world.sendToBroker { .cancelRequested(.job(job), by: requester) }
    }

    private func disconnect() {
        let old = connection
        loseConnection()
        world.sendToBroker { .connectionClosed(old) }
        for tag in open.keys.sorted() where world.random.chance(0.5) { open[tag]?.isQuiet = true }
    }

    func receive(_ reply: ClientReply, _ tag: UInt64) {
        guard let item = open[tag] else { return }
        switch reply {
        case .accepted(let job, _):
            note(job, tag)
        case .ended(let job, let ending, _):
            note(job, tag)
            if let earlier = item.ending, earlier != ending { world.violate("two endings told") }
            open[tag] = nil
        case .refused(let error): hearRefusal(error, tag)
        case .progress, .quarantined, .done, .quarantineList, .quarantinedJob: break
        }
    }

    /// A request stays the same job for as long as that job is remembered.
    private func note(_ job: JobID, _ tag: UInt64) {
        if let known = open[tag]?.job, known != job,
            world.observer.ledger[known]?.isForgotten == false
        {
            world.violate("request \(tag) of \(id.name) became another job")
        }
        open[tag]?.job = job
    }

    private func hearRefusal(_ error: QueueError, _ tag: UInt64) {
        switch error.code {
        case .queueFull, .clientQueueFull, .pixelBudgetSpent, .tooManyKinds, .deadlineUnreachable:
            let known = open[tag]?.job
            if known == nil || world.observer.ledger[known!]?.isForgotten != false {
                open[tag] = nil
            }
        case .resultExpired: open[tag] = nil
        case .unknownJob:
            // An answer from before the acceptance may come late.
            guard let job = open[tag]?.job else { return }
            if world.observer.ledger[job]?.isForgotten != false { open[tag] = nil }
        case .alreadyEnded, .watchDisplaced, .storeUnavailable: break
        case .invalidRequest, .requestIDReused, .notOwner, .adminOnly, .notQuarantined,
            .journalInconsistent:
            world.violate("unexpected refusal: \(error)")
        }
    }
}

extension BrokerSimulation {
    func startPeers() {
        for index in 0..<4 { simulatedWorkers.append(SimulatedWorker(self, index: index)) }
        for index in 0..<5 { simulatedClients.append(SimulatedClient(self, index: index)) }
    }

    func receive(_ reply: ClientReply, _ tag: UInt64, on connection: ConnectionID) {
        guard tag > 0 else { return }
        simulatedClients.first { $0.connection == connection }?.receive(reply, tag)
    }

    /// An admin decides about all quarantined jobs: some get another chance.
    func discardQuarantine() {
        guard isBrokerUp, let admin = simulatedClients.first else { return }
        for row in journal.snapshot.jobs {
            guard case .quarantined = row.state.phase else { continue }
            let requester = admin.requester(tag: 0)
            let isReleased = isStormy && random.chance(0.3)
            sendToBroker {
                isReleased
                    ? .quarantineReleased(row.id, by: requester)
                    : .quarantineDiscarded(row.id, by: requester)
            }
        }
    }
}
