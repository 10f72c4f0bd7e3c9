// A whole service in one thread and simulated time: clients, workers, a network that loses, delays,
// repeats and reorders, and a broker that crashes and comes back with what its journal kept.
//
// Everything follows from one seed. `+Peers` holds the clients and workers, `+Invariants` what must
// hold at every moment.

@testable import QueueCore

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) / 9_007_199_254_740_992 < probability
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }
}

final class BrokerSimulation {
    /// How bad the world is; drawn from the seed.
    struct Weather {
        var drop = 0.0
        var duplicate = 0.0
        var delayMilliseconds = 1
        var heartbeatSeconds = 5
        var submitSeconds = 20
        var crashMinutes = 30
        var workerCrashMinutes = 20
    }

    /// A moment of the agenda; what happens then is kept apart, so that moments are cheap to move.
    private struct Appointment {
        var time: Int64
        var order: UInt64
        var slot: Int

        func isBefore(_ other: Appointment) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    let seed: UInt64
    var random: SeededGenerator
    var weather = Weather()
    /// Whether faults happen; false once the world heals.
    var isStormy = true
    var now: Int64 = 1_000_000_000
    private var agenda: [Appointment] = []
    private var actions: [(() -> Void)?] = []
    private var freeSlots: [Int] = []
    private var order: UInt64 = 0
    private(set) var actionCount = 0

    // The broker.
    var limits = QueueLimits()
    var queue: JobQueue
    var isBrokerUp = true
    var turn: [QueueEffect] = []
    private var isCommitDue = false
    private var isCrashDue = false
    private var tickAt = Int64.max
    var brokerLife = 0
    var commits = 0

    // What is on disk, and what the observer knows.
    var journal = JournalModel()
    var blobs: Set<UInt64> = []
    /// Finished images of jobs at work: those on disk and those of this turn.
    var images: [JobID: [Int: Set<WorkOrigin>]] = [:]
    var turnImages: [JobID: [Int: Set<WorkOrigin>]] = [:]
    var lastBlob: UInt64 = 0
    var observer = SimulationObserver()

    // The peers.
    var simulatedWorkers: [SimulatedWorker] = []
    var simulatedClients: [SimulatedClient] = []
    var lastConnection: UInt64 = 0
    var lastWorkerID: UInt64 = 0

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(state: seed)
        queue = JobQueue()
        drawWeather()
        limits = drawLimits()
        queue = JobQueue(limits: limits)
        startPeers()
        planCrash()
    }

    private func drawWeather() {
        weather.drop = [0, 0.01, 0.1][random.number(0...2)]
        weather.duplicate = [0, 0.05][random.number(0...1)]
        weather.delayMilliseconds = [2, 200, 4_000][random.number(0...2)]
        weather.heartbeatSeconds = [1, 10, 30, 30, 30][random.number(0...4)]
        weather.submitSeconds = [8, 60, 300, 900][random.number(0...3)]
        weather.crashMinutes = [10, 60, 100_000][random.number(0...2)]
        weather.workerCrashMinutes = [10, 60, 100_000][random.number(0...2)]
    }

    /// Calm worlds have little to compute, so they run longer.
    var stormHours: Int64 {
        if weather.heartbeatSeconds == 1 || weather.submitSeconds < 60 { return 2 }
        return weather.submitSeconds == 60 ? 8 : 100
    }

    private func drawLimits() -> QueueLimits {
        var limits = QueueLimits()
        let heartbeat = Int64(weather.heartbeatSeconds)
        limits.workerSilence = .seconds(3 * heartbeat)
        limits.leaseArrival = .seconds(3 * heartbeat)
        limits.reclaimGrace = .seconds(2 * heartbeat)
        limits.jobs = [40, 150][random.number(0...1)]
        limits.results = [20, 1_000][random.number(0...1)]
        limits.resultBytes = 100_000
        limits.resultLifetime = .seconds(Int64(random.number(600...7_200)))
        limits.tombstones = 50
        limits.tombstoneLifetime = .seconds(3_600)
        limits.quarantined = 4
        limits.originGrace = .seconds(20)
        limits.quarantineLifetime = .seconds(3 * 3_600)
        limits.watchersPerJob = 2
        limits.lanes = 6
        limits.clients = 64
        limits.overdueAfter = [.seconds(60), .seconds(120), .seconds(180)]
        limits.hangShortest = .seconds(120)
        limits.workPerTick = random.number(1...20)
        return limits
    }

    // MARK: Time and network

    func post(after microseconds: Int64, _ action: @escaping () -> Void) {
        order += 1
        let slot = freeSlots.popLast() ?? actions.count
        if slot == actions.count { actions.append(action) } else { actions[slot] = action }
        agenda.append(Appointment(time: now + max(0, microseconds), order: order, slot: slot))
        var child = agenda.count - 1
        while child > 0, agenda[child].isBefore(agenda[(child - 1) / 2]) {
            agenda.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private func takeNext() -> Appointment? {
        guard let first = agenda.first else { return nil }
        agenda[0] = agenda[agenda.count - 1]
        agenda.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < agenda.count && agenda[child].isBefore(agenda[least]) {
                least = child
            }
            if least == parent { return first }
            agenda.swapAt(parent, least)
            parent = least
        }
    }

    /// Carries a message, if the weather lets it.
    func transmit(_ action: @escaping () -> Void) {
        guard isStormy else { return post(after: 1_000, action) }
        if random.chance(weather.drop) { return }
        let longest = weather.delayMilliseconds * 1_000
        post(after: Int64(random.number(100...longest)), action)
        if random.chance(weather.duplicate) {
            post(after: Int64(random.number(100...(2 * longest))), action)
        }
    }

    /// Carries an event to the broker; it is made on arrival, when the loop stores its blobs.
    func sendToBroker(_ make: @escaping () -> QueueEvent) {
        transmit { [unowned self] in
            if isBrokerUp { apply(make()) }
        }
    }

    /// Runs until a time or the first violation.
    func run(until end: Int64) {
        while observer.violations.isEmpty, let next = agenda.first, next.time <= end {
            guard let appointment = takeNext() else { return }
            now = appointment.time
            actionCount += 1
            let action = actions[appointment.slot]
            actions[appointment.slot] = nil
            freeSlots.append(appointment.slot)
            action?()
        }
        if observer.violations.isEmpty { now = max(now, end) }
    }

    // MARK: The broker

    func apply(_ event: QueueEvent) {
        var effects: [QueueEffect] = []
        queue.apply(event, at: Instant(microseconds: now), into: &effects)
        observe(event, effects)
        turn += effects
        if !turn.isEmpty && !isCommitDue {
            isCommitDue = true
            let life = brokerLife
            post(after: Int64(random.number(0...5_000))) { [unowned self] in
                if life == brokerLife { commit() }
            }
        }
        planTick()
    }

    private func planTick() {
        guard let deadline = queue.nextDeadline else { return }
        let moment = max(deadline.microseconds, now + 1)
        guard moment < tickAt else { return }
        tickAt = moment
        let life = brokerLife
        post(after: moment - now) { [unowned self] in
            guard life == brokerLife, isBrokerUp, tickAt <= now else { return }
            tickAt = .max
            apply(.timePassed)
        }
    }

    /// The end of a turn of the loop: one transaction, then everything else.
    private func commit() {
        isCommitDue = false
        let effects = turn
        turn = []
        let newImages = turnImages
        turnImages = [:]
        let crashPoint = isCrashDue ? random.number(0...(effects.count + 1)) - 1 : effects.count + 1
        if crashPoint < 0 { return crash() }
        for (job, parts) in newImages { images[job, default: [:]].merge(parts) { $1 } }
        for case .store(let entry) in effects {
            observeStore(entry)
            journal.apply(entry)
        }
        for (position, effect) in effects.enumerated() where position < crashPoint {
            perform(effect)
        }
        if isCrashDue { return crash() }
        commits += 1
        if commits % 256 == 0 { audit() }
    }

    private func perform(_ effect: QueueEffect) {
        observePerformed(effect)
        switch effect {
        case .store: break
        case .discardBlob(let blob):
            observer.parts[blob] = nil
            observer.results[blob] = nil
            if blobs.remove(blob.number) == nil { violate("blob \(blob.number) discarded twice") }
        case .reply(let connection, let tag, let reply):
            transmit { [unowned self] in receive(reply, tag, on: connection) }
        case .sendLease(let id, _), .revokeLease(let id, _, _), .confirmLeaseEnd(let id, _, _),
            .confirmRegistration(let id), .askToRegister(let id), .refuseWorker(let id, _):
            transmit { [unowned self] in
                simulatedWorkers.first { $0.id == id && $0.isAlive }?.receive(effect)
            }
        }
    }

    private func planCrash() {
        let pause = Int64(random.number(1...(2 * weather.crashMinutes))) * 60_000_000
        post(after: pause) { [unowned self] in
            guard isStormy else { return }
            isCrashDue = true
            planCrash()
        }
    }

    private func crash() {
        isCrashDue = false
        isBrokerUp = false
        turn = []
        turnImages = [:]
        brokerLife += 1
        tickAt = .max
        isCommitDue = false
        post(after: Int64(random.number(100...20_000)) * 1_000) { [unowned self] in recover() }
        for client in simulatedClients { client.loseConnection() }
    }

    private func recover() {
        let snapshot = journal.snapshot
        blobs = []
        for job in snapshot.jobs {
            if let blob = job.state.resume?.blob { blobs.insert(blob.number) }
            if case .ended(.completed(let result)) = job.state.phase {
                blobs.insert(result.blob.number)
            }
        }
        do {
            var effects: [QueueEffect] = []
            queue = try JobQueue(
                recovering: snapshot, limits: limits, at: Instant(microseconds: now),
                into: &effects)
            isBrokerUp = true
            turn = effects
            observer.restart(from: snapshot)
            apply(.timePassed)
            audit()
        } catch {
            violate("recovery failed: \(error)")
        }
    }

    func makeBlob() -> BlobHandle {
        lastBlob += 1
        blobs.insert(lastBlob)
        return BlobHandle(number: lastBlob)
    }

    func violate(_ what: String) {
        observer.violations.append("seed \(seed), second \(now / 1_000_000): \(what)")
    }

    /// Ends all faults and lets everything that was accepted come to its end.
    func heal(within hours: Int64) {
        isStormy = false
        if !isBrokerUp { run(until: now + 30_000_000) }
        for worker in simulatedWorkers { worker.heal() }
        let end = now + hours * 3_600_000_000
        while observer.violations.isEmpty, now < end, !isIdle {
            run(until: now + 60_000_000)
            discardQuarantine()
        }
        if observer.violations.isEmpty, !isIdle { violate("did not drain: \(remains)") }
        run(until: now + 60_000_000)
        if observer.violations.isEmpty {
            audit()
            checkEverythingEnded()
        }
    }

    private var isIdle: Bool {
        isBrokerUp && queue.unfinished == 0
            && simulatedClients.allSatisfy { $0.open.isEmpty }
            && simulatedWorkers.allSatisfy { $0.runs.isEmpty }
    }

    private var remains: String {
        let open = simulatedClients.flatMap { $0.open.values.map(\.submission.request.key) }
        let runs = simulatedWorkers.map(\.runs.count)
        return "\(queue.unfinished) unfinished, open \(open.sorted()), runs \(runs)"
    }
}
