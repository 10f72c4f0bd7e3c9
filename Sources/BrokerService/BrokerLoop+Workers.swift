// Reports of workers on their way to the queue.

import JobStore
import QueueCore
import WireProtocol
import ZeroMQSockets

extension BrokerLoop {
    func takeWorkerMessage(_ message: RoutedMessage) throws {
        let peer = try workerPeer(of: message)
        guard let body = message.body, let report = try? WorkerMessage(frame: body) else {
            sockets.malformed += 1
            let error = ServiceError(
                code: .invalidMessage, sentence: "The frame is no message of a worker.")
            turn.actions.append(
                .tellWorker(worker(peer, message).id, .refused(WorkerRefused(error: error))))
            return
        }
        if let authenticator {
            let role = message.userID.flatMap { authenticator.keys[userID: $0]?.role }
            guard role == .worker || role == .admin else {
                sockets.unauthorized += 1
                let error = ServiceError(
                    code: .notAuthorized, sentence: "This key is not let in as a worker.")
                turn.actions.append(
                    .tellWorker(worker(peer, message).id, .refused(WorkerRefused(error: error))))
                return
            }
        }
        take(report, body, from: peer, worker(peer, message))
    }

    private func workerPeer(of message: RoutedMessage) throws -> Peer {
        if let peer = workers.peer(of: message) { return peer }
        try noteConnections()
        let (peer, displaced) = workers.enter(message)
        if let displaced { forgetWorker(displaced) }
        return peer
    }

    private func worker(_ peer: Peer, _ message: RoutedMessage) -> WorkerPeer {
        if let known = peer.worker { return known }
        lastWorker += 1
        let worker = WorkerPeer(
            id: WorkerID(number: lastWorker), route: message.route,
            details: WorkerDetails(
                host: message.peerAddress ?? "", processID: 0, version: "", modelName: "",
                modelHash: "", connectedAt: clock.now))
        peer.worker = worker
        workerPeers[worker.id] = peer
        return worker
    }

    /// A connection is gone. The queue finds out by the silence: the worker may be back by then.
    func forgetWorker(_ peer: Peer) {
        workers.remove(peer)
        if let worker = peer.worker { workerPeers[worker.id] = nil }
        if peer.worker?.openShape != nil { unlearnShape() }
    }

    private func take(
        _ report: WorkerMessage, _ frame: [UInt8], from peer: Peer, _ worker: WorkerPeer
    ) {
        let id = worker.id
        switch report {
        case .register(let register): self.register(register, peer, worker)
        case .ready:
            peer.worker?.isReady = true
            readyIncarnations[worker.name] = worker.incarnation
            beat(peer, draining: false, held: heldLeases(of: id), resident: nil)
        case .heartbeat(let heartbeat): hear(heartbeat, peer, worker)
        case .stepReport(let step): take(step, from: id)
        case .imageFinished(let image): take(image, frame, from: id)
        case .workCompleted(let completed): take(completed, from: peer, worker)
        case .workFailed(let failed):
            let failure = WorkerFailure(
                code: failed.error.workerCode, message: failed.error.sentence,
                isRetriable: failed.error.retryable,
                refusesResume: failed.error.field == ServiceError.resumeField)
            apply(
                .leaseFailed(id, LeaseID(failed.lease), failure),
                EffectContext(messageField: 16))
        case .workCancelled(let cancelled): apply(.leaseReleased(id, LeaseID(cancelled.lease)))
        case .handBack(let handBack):
            apply(
                .leaseHandedBack(
                    id, LeaseID(handBack.lease),
                    resume: resumePoint(handBack.resume, handBack.lease)),
                EffectContext(messageField: 18))
        case .goodbye: apply(.workerLeft(id))
        }
    }

    private func register(_ register: RegisterWorker, _ peer: Peer, _ worker: WorkerPeer) {
        peer.worker?.name = register.name
        peer.worker?.incarnation = register.incarnation
        peer.worker?.numericsClass = register.model.numericsClass
        peer.worker?.isReady = readyIncarnations[register.name] == register.incarnation
        if readyIncarnations.count > 2 * WireLimits.workers { readyIncarnations = [:] }
        peer.worker?.details = WorkerDetails(
            host: register.host, processID: register.processID, version: register.version,
            modelName: register.model.name, modelHash: register.model.hash,
            connectedAt: clock.now)
        let names = [register.model.hash, register.model.name].filter { !$0.isEmpty }
        let description = WorkerDescription(
            name: register.name, incarnation: register.incarnation,
            models: names.map { ModelID(hash: $0) },
            numericsClass: NumericsClass(name: register.model.numericsClass),
            pixels: register.maximumPixels == 0 ? .max : Int(clamping: register.maximumPixels))
        learnShape(register, of: peer)
        let held = register.heldLeases.map { HeldLease(lease: LeaseID($0), step: 0) }
        apply(.workerRegistered(worker.id, description, nextBeat(peer, false, held, nil)))
    }

    private func hear(_ heartbeat: WorkerHeartbeat, _ peer: Peer, _ worker: WorkerPeer) {
        peer.worker?.details.secondsAStep = heartbeat.secondsAStep
        var held: [HeldLease] = []
        if let reference = heartbeat.lease {
            let lease = LeaseID(reference)
            let base = worker.base?.lease == lease ? worker.base?.step ?? 0 : 0
            held = [HeldLease(lease: lease, step: base + Int(clamping: heartbeat.stepCounter))]
            peer.worker?.isReady = true
        }
        let resident = Int64(clamping: heartbeat.residentBytes)
        beat(peer, draining: heartbeat.draining, held: held, resident: resident)
        turn.actions.append(
            .tellWorker(worker.id, .heartbeatReply(HeartbeatReply(sequence: heartbeat.sequence))))
    }

    private func beat(_ peer: Peer, draining: Bool, held: [HeldLease], resident: Int64?) {
        guard let worker = peer.worker else { return }
        apply(.heartbeatReceived(worker.id, nextBeat(peer, draining, held, resident)))
    }

    private func nextBeat(
        _ peer: Peer, _ draining: Bool, _ held: [HeldLease], _ resident: Int64?
    ) -> Heartbeat {
        peer.worker?.sequence += 1
        return Heartbeat(
            sequence: peer.worker?.sequence ?? 0, isReady: peer.worker?.isReady ?? false,
            isDraining: draining, residentBytes: resident ?? 0, held: held)
    }

    /// The leases that the queue takes the worker to hold, so that `ready` takes none away.
    private func heldLeases(of id: WorkerID) -> [HeldLease] {
        queue.snapshot(jobLimit: 0).workers.first { $0.id == id }?.leases ?? []
    }

    private func take(_ step: StepReport, from id: WorkerID) {
        let lease = LeaseID(step.lease)
        guard let row = queue.row(of: lease.job), step.step > 0 || step.imageIndex > 0 else {
            return
        }
        if row.state.attempt == lease.attempt { reports[lease.job] = step.withoutBytes }
        let total = row.submission.shape.totalStep(
            image: step.imageIndex, step: step.step, of: step.steps)
        let wishes = previewWishes[lease.job] != nil && !step.previewPNG.isEmpty
        apply(
            .stepReported(
                id, lease, step: max(1, total), resume: resumePoint(step.resume, step.lease),
                preview: wishes ? keep(step.previewPNG) : nil))
    }

    /// A resume state is kept as a `hand_back`, the message that holds one and little else.
    private func resumePoint(_ state: ResumeState?, _ lease: LeaseReference) -> ResumePoint? {
        guard let state, let row = queue.row(of: JobID(number: lease.jobID)),
            let bytes = try? WorkerMessage.handBack(HandBack(lease: lease, resume: state))
                .encoded()
        else { return nil }
        let steps = reports[row.id]?.steps ?? UInt32(clamping: row.submission.shape.steps)
        let total = row.submission.shape.totalStep(
            image: state.imageIndex, step: state.step, of: steps)
        guard total > 0 else { return nil }
        return ResumePoint(step: total, blob: keep(bytes))
    }

    /// Whether a lease is its job's latest and this worker's: the queue may still refuse it, but
    /// takes no other.
    private func isCurrent(_ lease: LeaseID, _ id: WorkerID) -> Bool {
        guard let row = queue.row(of: lease.job), let worker = workerPeers[id]?.worker else {
            return false
        }
        switch row.state.phase {
        case .waiting, .leased:
            return row.state.attempt == lease.attempt && row.state.worker == worker.name
        case .quarantined, .ended, .expired: return false
        }
    }

    private func take(_ image: ImageFinished, _ frame: [UInt8], from id: WorkerID) {
        let lease = LeaseID(image.lease)
        guard isCurrent(lease, id) else {
            let isOld = (queue.row(of: lease.job)?.state.attempt ?? .max) != lease.attempt
            let revocation = LeaseRevocation(
                lease: image.lease, reason: isOld ? .superseded : .requested)
            turn.actions.append(.tellWorker(id, .revoke(revocation)))
            return
        }
        turn.store.images.append(
            StoredImage(job: lease.job, index: image.image.index, bytes: frame))
        apply(.imageFinished(id, lease))
        let acknowledgement = LeaseAcknowledged(
            lease: image.lease, messageField: 14, imageIndex: image.image.index)
        turn.actions.append(.tellWorker(id, .acknowledged(acknowledgement)))
    }

    private func take(_ completed: WorkCompleted, from peer: Peer, _ worker: WorkerPeer) {
        let lease = LeaseID(completed.lease)
        let context = EffectContext(messageField: 15)
        guard isCurrent(lease, worker.id), let row = queue.row(of: lease.job) else {
            let nothing = ResultSummary(blob: keep([]), byteCount: 0)
            return apply(.leaseCompleted(worker.id, lease, nothing), context)
        }
        do {
            let bytes = try result(completed, row, worker).encoded()
            let summary = ResultSummary(blob: keep(bytes), byteCount: Int64(bytes.count))
            apply(.leaseCompleted(worker.id, lease, summary), context)
        } catch {
            let failure = WorkerFailure(
                code: ErrorCode.internal.workerCode, message: "\(error)", isRetriable: true)
            apply(.leaseFailed(worker.id, lease, failure), context)
        }
    }

    /// The reply that clients get, with the images that came earlier.
    private func result(
        _ completed: WorkCompleted, _ row: DurableJob, _ worker: WorkerPeer
    ) throws -> ServerMessage {
        var images: [UInt32: GeneratedImage] = [:]
        let stored = try store.images(of: row.id) + turn.store.images.filter { $0.job == row.id }
        for stored in stored {
            if case .imageFinished(let finished) = try WorkerMessage(frame: stored.bytes) {
                images[stored.index] = finished.image
            }
        }
        for image in completed.images { images[image.index] = image }
        let count = UInt32(clamping: row.submission.shape.images)
        guard images.count == Int(count), images.keys.allSatisfy({ $0 < count }) else {
            throw WireError(
                .missingField, "has \(images.count) of \(count) images",
                field: "work_completed.images", remedy: "send all of them")
        }
        var seconds = completed.seconds ?? StageSeconds()
        seconds.queued = ((row.state.startedAt ?? clock.now) - row.acceptedAt).seconds
        return ServerMessage(
            .completed(
                JobCompleted(
                    jobID: row.id.number, requestID: row.submission.request.shown,
                    images: images.sorted { $0.key < $1.key }.map(\.value), seconds: seconds,
                    worker: worker.name, attempts: row.state.attempt,
                    modelName: worker.details.modelName, modelHash: worker.details.modelHash,
                    numericsClass: worker.numericsClass, pruning: completed.pruning)))
    }
}

extension JobShape {
    /// The step of all the job's steps, where the worker may take another number an image than
    /// the queue assumed.
    func totalStep(image: UInt32, step: UInt32, of count: UInt32) -> Int {
        let whole = max(1, Int(count == 0 ? UInt32(clamping: steps) : count))
        let done = min(Int(step), whole)
        let scaled = whole == steps ? done : (done * steps + whole - 1) / whole
        return min(Int(image) * steps + scaled, totalSteps)
    }
}

extension StepReport {
    /// What progress replies need of it.
    fileprivate var withoutBytes: StepReport {
        var report = self
        report.resume = nil
        report.previewPNG = []
        return report
    }
}
