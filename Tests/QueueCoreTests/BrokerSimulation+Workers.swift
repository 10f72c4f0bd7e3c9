// Simulated workers: they compute, crash, stall, slow down, err, drain, reconnect.

@testable import QueueCore

/// What a job does to its worker; the first byte of its payload.
enum JobNature: UInt8 {
    case harmless, poison, broken, flaky
}

extension BrokerSimulation {
    /// With a worker it becomes known how large the images of some waiting job are.
    fileprivate func shapeLearned() -> QueueEvent {
        let ids = queue.unbegunJobs
        let id = ids.isEmpty ? JobID(number: 1) : ids[random.number(0...(ids.count - 1))]
        let side = [256, 512, 1024][random.number(0...2)]
        let known = queue.row(of: id)?.submission.shape
        return .shapeLearned(
            id,
            JobShape(
                pixels: side * side, steps: known?.steps ?? 1, images: known?.images ?? 1))
    }
}

/// One worker process after another, under one name.
final class SimulatedWorker {
    struct Run {
        var step: Int
        let stepsPerImage: Int
        let total: Int
        /// Who worked on the image at hand, and on those that this run finished.
        var parts: Set<WorkOrigin>
        var images: [Int: Set<WorkOrigin>] = [:]
        let nature: JobNature
        var isStalled = false
        var isDone = false
        /// What is repeated until it is confirmed.
        var ending: ((LeaseID) -> QueueEvent)?

        /// After an image's last step it is decoded, and the next begins.
        mutating func finishImage() {
            guard step > 0, step % stepsPerImage == 0 else { return }
            images[step / stepsPerImage - 1] = parts
            parts = []
        }

        /// Who made the latents after the last step, and which images are finished before that.
        var latents: (parts: Set<WorkOrigin>, imagesBefore: Int) {
            let image = (step - 1) / stepsPerImage
            return (images[image] ?? parts, image)
        }
    }

    unowned let world: BrokerSimulation
    let name: String
    var id = WorkerID(number: 0)
    var incarnation: UInt64 = 0
    var isAlive = false
    var isRegistered = false
    var isDraining = false
    var sequence: UInt64 = 0
    var runs: [LeaseID: Run] = [:]
    let slots: Int
    let models: [ModelID]
    let numericsClass: NumericsClass
    let pixels: Int
    let stepMicroseconds: Int

    init(_ world: BrokerSimulation, index: Int) {
        self.world = world
        name = "worker-\(index)"
        slots = index == 0 ? 2 : 1
        // Three kinds: a in c (0), a in d (1 and 2), b in c (3, which has the model a as well).
        let models = ["a", "b"].map { ModelID(hash: $0) }
        self.models = [[models[0]], models, [models[0]], models.reversed()][index % 4]
        numericsClass = NumericsClass(name: index == 1 || index == 2 ? "d" : "c")
        pixels = index == 2 ? 512 * 512 : 1024 * 1024
        stepMicroseconds = world.random.number(200...6_000) * 1_000
        start()
        planTrouble()
    }

    private var description: WorkerDescription {
        WorkerDescription(
            name: name, incarnation: incarnation, models: models,
            numericsClass: numericsClass, pixels: pixels, slots: slots)
    }

    private var origin: WorkOrigin { WorkOrigin(description) }

    func start() {
        guard !isAlive else { return }
        incarnation += 1
        isAlive = true
        isDraining = false
        sequence = 0
        runs = [:]
        connect()
        beat(incarnation)
    }

    private func connect() {
        world.lastWorkerID += 1
        id = WorkerID(number: world.lastWorkerID)
        isRegistered = false
    }

    private func heartbeat() -> Heartbeat {
        sequence += 1
        let held = runs.keys.sorted { ($0.job, $0.attempt) < ($1.job, $1.attempt) }
        return Heartbeat(
            sequence: sequence, isDraining: isDraining,
            held: held.map { HeldLease(lease: $0, step: runs[$0]?.step ?? 0) })
    }

    /// Sends a sign of life, and again what is not confirmed.
    private func beat(_ life: UInt64) {
        guard isAlive, life == incarnation else { return }
        let (id, description, heartbeat) = (id, description, heartbeat())
        if isRegistered {
            world.sendToBroker { .heartbeatReceived(id, heartbeat) }
        } else {
            world.sendToBroker { .workerRegistered(id, description, heartbeat) }
            world.sendToBroker { [world] in world.shapeLearned() }
        }
        for lease in heartbeat.held {
            for image in (runs[lease.lease]?.images ?? [:]).keys.sorted() {
                sendImage(image, lease.lease)
            }
            if runs[lease.lease]?.isDone == true { tell(lease.lease) }
        }
        world.post(after: Int64(world.weather.heartbeatSeconds) * 1_000_000) { [unowned self] in
            beat(life)
        }
    }

    func receive(_ effect: QueueEffect) {
        switch effect {
        case .confirmRegistration: isRegistered = true
        case .askToRegister, .refuseWorker: isRegistered = false
        case .sendLease(_, let lease): begin(lease)
        case .revokeLease(_, let lease, let reason):
            guard let run = runs[lease] else { return release(lease) }
            if reason == .hung && run.isStalled { return die(restartSeconds: 2) }
            if !run.isStalled {
                runs[lease] = nil
                release(lease)
            }
        case .confirmLeaseEnd(_, let lease, _): runs[lease] = nil
        default: break
        }
    }

    private func release(_ lease: LeaseID) {
        let id = id
        world.sendToBroker { .leaseReleased(id, lease) }
    }

    private func begin(_ lease: Lease) {
        guard runs[lease.id] == nil, let first = lease.payload.first, lease.payload.count >= 3
        else { return }
        let steps = Int(lease.payload[1])
        var run = Run(
            step: lease.resume?.step ?? 0, stepsPerImage: steps,
            total: steps * Int(lease.payload[2]),
            parts: lease.resume.flatMap { world.observer.parts[$0.blob] } ?? [],
            nature: JobNature(rawValue: first) ?? .harmless)
        run.finishImage()
        runs[lease.id] = run
        if lease.resume != nil, world.random.chance(0.02) {
            refuse(lease.id)
        }
        planStep(lease.id)
    }

    private func planStep(_ lease: LeaseID) {
        let life = incarnation
        let jitter = world.random.number(80...120)
        world.post(after: Int64(stepMicroseconds * jitter / 100)) { [unowned self] in
            if isAlive, life == incarnation { step(lease) }
        }
    }

    private func step(_ lease: LeaseID) {
        guard var run = runs[lease], !run.isDone, !run.isStalled else { return }
        if world.isStormy && world.random.chance(0.0005) {
            runs[lease]?.isStalled = true
            return
        }
        if run.step >= run.total { return finish(lease) }
        run.step += 1
        run.parts.insert(origin)
        run.finishImage()
        let latents = run.latents
        runs[lease] = run
        if run.step % run.stepsPerImage == 0 {
            sendImage(run.step / run.stepsPerImage - 1, lease)
        }
        if run.nature == .poison { return die(restartSeconds: 3) }
        if run.nature == .broken || (run.nature == .flaky && world.random.chance(0.3)) {
            return err(lease, isRetriable: run.nature == .flaky)
        }
        let (id, done) = (id, run.step)
        let hasLatents = world.random.chance(0.8)
        world.sendToBroker { [unowned self] in
            let resume = hasLatents ? point(after: done, latents, lease.job) : nil
            return .stepReported(id, lease, step: done, resume: resume, preview: nil)
        }
        planStep(lease)
    }

    /// A resume point whose bytes the world keeps, with the knowledge of who made them; none while
    /// an image before it is not on disk.
    private func point(
        after step: Int, _ latents: (parts: Set<WorkOrigin>, imagesBefore: Int), _ job: JobID
    ) -> ResumePoint? {
        let stored = world.images[job] ?? [:]
        guard (0..<latents.imagesBefore).allSatisfy({ stored[$0] != nil }) else { return nil }
        let blob = world.makeBlob()
        world.observer.parts[blob] = latents.parts
        return ResumePoint(step: step, blob: blob)
    }

    /// Sends a finished image; the loop stores it if the lease is the job's latest and this
    /// worker's.
    private func sendImage(_ image: Int, _ lease: LeaseID) {
        guard let parts = runs[lease]?.images[image] else { return }
        let (id, name) = (id, name)
        world.sendToBroker { [unowned world] in
            let state = world.queue.row(of: lease.job)?.state
            if let state, state.attempt == lease.attempt, state.worker == name,
                state.phase == .waiting || state.phase == .leased
            {
                world.turnImages[lease.job, default: [:]][image] = parts
            }
            return .imageFinished(id, lease)
        }
    }

    /// Does not go on from what another worker left.
    private func refuse(_ lease: LeaseID) {
        let failure = WorkerFailure(
            code: "r", message: "no", isRetriable: true, refusesResume: true)
        conclude(lease) { [unowned self] in .leaseFailed(id, $0, failure) }
    }

    private func finish(_ lease: LeaseID) {
        let own = runs[lease]?.images ?? [:]
        conclude(lease) { [unowned self, unowned world] lease in
            let blob = world.makeBlob()
            world.observer.origins[blob] = lease
            let stored = (world.images[lease.job] ?? [:])
                .merging(world.turnImages[lease.job] ?? [:]) { $1 }
            world.observer.results[blob] = stored.merging(own) { $1 }
            let bytes = Int64(1_000 + lease.job.number % 7 * 1_000)
            return .leaseCompleted(id, lease, ResultSummary(blob: blob, byteCount: bytes))
        }
    }

    private func err(_ lease: LeaseID, isRetriable: Bool) {
        let failure = WorkerFailure(code: "e", message: "no", isRetriable: isRetriable)
        conclude(lease) { [unowned self] in .leaseFailed(id, $0, failure) }
    }

    private func conclude(_ lease: LeaseID, _ ending: @escaping (LeaseID) -> QueueEvent) {
        runs[lease]?.isDone = true
        runs[lease]?.ending = ending
        tell(lease)
    }

    private func tell(_ lease: LeaseID) {
        guard let ending = runs[lease]?.ending else { return }
        world.sendToBroker { ending(lease) }
    }

    /// Ends the process without a word.
    func die(restartSeconds: Int) {
        guard isAlive else { return }
        isAlive = false
        runs = [:]
        let pause = Int64(world.random.number(1...(restartSeconds * 1_000))) * 1_000
        world.post(after: pause) { [unowned self] in start() }
    }

    private func planTrouble() {
        let pause = world.random.number(1...(2 * world.weather.workerCrashMinutes))
        world.post(after: Int64(pause) * 60_000_000) { [unowned self] in
            guard world.isStormy else { return }
            switch world.random.number(0...3) {
            case 0: die(restartSeconds: 60)
            case 1: connect()
            case 2: drain()
            default: for lease in runs.keys { runs[lease]?.isStalled = true }
            }
            planTrouble()
        }
    }

    /// Hands everything back, says goodbye, and comes again as a new process.
    private func drain() {
        guard isAlive else { return }
        isDraining = true
        for lease in runs.keys.sorted(by: { $0.job < $1.job }) where runs[lease]?.isDone == false {
            guard let run = runs[lease] else { continue }
            conclude(lease) { [unowned self] lease in
                let point = run.step > 0 ? point(after: run.step, run.latents, lease.job) : nil
                return .leaseHandedBack(id, lease, resume: point)
            }
        }
        let life = incarnation
        world.post(after: 20_000_000) { [unowned self] in
            guard isAlive, life == incarnation else { return }
            let id = id
            world.sendToBroker { .workerLeft(id) }
            die(restartSeconds: 60)
        }
    }

    /// Stalled runs are noticed by a supervisor in the end.
    func heal() {
        if runs.values.contains(where: \.isStalled) { die(restartSeconds: 1) }
    }
}
