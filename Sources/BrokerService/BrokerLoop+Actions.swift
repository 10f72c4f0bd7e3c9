// Carrying out what a turn decided, once it is on disk.

import QueueCore
import WireProtocol

extension BrokerLoop {
    func carryOut(_ action: Turn.Action) {
        switch action {
        case .effect(let effect, let context): carryOut(effect, context)
        case .reply(let connection, let message): reply(message, to: connection)
        case .tellWorker(let id, let message): tell(id, message)
        }
    }

    private func carryOut(_ effect: QueueEffect, _ context: EffectContext) {
        switch effect {
        case .store, .discardBlob: break
        case .reply(let connection, let tag, let answer):
            self.answer(connection, tag, answer, context)
        case .sendLease(let id, let lease): send(lease, to: id)
        case .revokeLease(let id, let lease, let reason):
            tell(id, .revoke(LeaseRevocation(lease: lease.wire, reason: CancelReason(reason))))
        case .confirmLeaseEnd(let id, let lease, let isTaken):
            if !isTaken, let row = queue.row(of: lease.job), row.state.attempt > lease.attempt {
                tell(id, .revoke(LeaseRevocation(lease: lease.wire, reason: .superseded)))
            }
            let field = context.messageField
            tell(id, .acknowledged(LeaseAcknowledged(lease: lease.wire, messageField: field)))
        case .confirmRegistration(let id):
            let registered = WorkerRegistered(
                heartbeatIntervalMilliseconds: configuration.heartbeatMilliseconds,
                missedHeartbeatsAllowed: configuration.missedHeartbeatsAllowed)
            tell(id, .registered(registered))
        case .askToRegister(let id):
            tell(id, .goodbye(Goodbye(reason: "This broker does not know you: register.")))
        case .refuseWorker(let id, let error):
            let refusal = ServiceError(error, at: clock.now)
            tell(id, .refused(WorkerRefused(error: refusal)))
        }
    }

    private func answer(
        _ connection: ConnectionID, _ tag: UInt64, _ answer: ClientReply, _ context: EffectContext
    ) {
        guard let channel = channels[connection] else { return }
        let mode = channel.key.mode
        switch answer {
        case .accepted(let id, let estimate):
            channel.follows[id] = tag
            guard mode != .final, !context.isSilent else { return }
            let accepted = accepted(id, estimate, isKnown: context.isKnown)
            reply(ServerMessage(correlation: tag, .accepted(accepted)), to: connection)
        case .progress(let id, let step, let count, let end, let preview):
            guard mode == .all else { return }
            let progress = progress(id, step, count, end, preview)
            reply(
                ServerMessage(correlation: tag, .progress(progress)), to: connection,
                progress: Outgoing.ProgressKey(job: id, correlation: tag))
        case .quarantined(let id, let quarantine):
            let wasAccepted = channel.follows.removeValue(forKey: id) == tag
            turn.channels.append(connection)
            guard !(mode == .accepted && wasAccepted) else { return }
            let failed = failed(id, ServiceError(quarantine))
            reply(ServerMessage(correlation: tag, .failed(failed)), to: connection)
        case .ended(let id, let ending, let history):
            let wasAccepted = channel.follows.removeValue(forKey: id) == tag
            turn.channels.append(connection)
            guard !(mode == .accepted && wasAccepted) else { return }
            finish(id, ending, history, tag, connection, mode)
        case .refused(let error):
            if error.code == .watchDisplaced, let job = channel.follows.first(where: { $1 == tag })
            {
                channel.follows[job.key] = nil
                turn.channels.append(connection)
            }
            let refusal = ServiceError(error, at: clock.now)
            reply(
                ServerMessage(correlation: tag, .failed(JobFailed(error: refusal))),
                to: connection)
        case .done(let id): confirm(id, tag, connection, context.request)
        case .quarantineList(let reports):
            let list = QuarantineList(
                jobs: reports.prefix(WireLimits.jobs).map { quarantinedJob($0, payload: nil) })
            reply(ServerMessage(correlation: tag, .quarantine(list)), to: connection)
        case .quarantinedJob(let report, let payload):
            let list = QuarantineList(jobs: [quarantinedJob(report, payload: payload)])
            reply(ServerMessage(correlation: tag, .quarantine(list)), to: connection)
        }
    }

    /// The last reply about a job.
    private func finish(
        _ id: JobID, _ ending: JobEnding, _ history: JobHistory, _ tag: UInt64,
        _ connection: ConnectionID, _ mode: ReplyMode
    ) {
        let request = queue.row(of: id)?.submission.request.shown ?? ""
        switch ending {
        case .completed where mode == .accepted:
            let accepted = JobAccepted(
                jobID: id.number, requestID: request, alreadyKnown: true, state: .completed)
            reply(ServerMessage(correlation: tag, .accepted(accepted)), to: connection)
        case .completed(let result):
            sendResult(result.blob, id, correlation: tag, to: connection)
        case .failed(let failure):
            let failed = JobFailed(
                jobID: id.number, requestID: request, error: ServiceError(failure),
                attempts: history.attempts, worker: history.worker ?? "")
            reply(ServerMessage(correlation: tag, .failed(failed)), to: connection)
        case .cancelled(let reason):
            let cancelled = JobCancelled(
                jobID: id.number, requestID: request, reason: CancelReason(reason),
                stepsDone: stepsDone(id))
            reply(ServerMessage(correlation: tag, .cancelled(cancelled)), to: connection)
        }
    }

    /// The answer to a request that was carried out.
    private func confirm(
        _ id: JobID, _ tag: UInt64, _ connection: ConnectionID, _ request: EffectContext.Request
    ) {
        guard let report = queue.report(on: id) else { return }
        if request == .release {
            let list = QuarantineList(jobs: [quarantinedJob(report, payload: nil)])
            return reply(ServerMessage(correlation: tag, .quarantine(list)), to: connection)
        }
        var reason = CancelReason.requested
        if case .ended(.cancelled(let found)) = report.state.phase { reason = CancelReason(found) }
        let cancelled = JobCancelled(
            jobID: id.number, requestID: report.request.shown, reason: reason,
            stepsDone: stepsDone(id))
        reply(ServerMessage(correlation: tag, .cancelled(cancelled)), to: connection)
    }

    private func stepsDone(_ id: JobID) -> UInt32 {
        UInt32(clamping: queue.report(on: id)?.step ?? 0)
    }

    private func accepted(_ id: JobID, _ estimate: JobEstimate, isKnown: Bool) -> JobAccepted {
        let row = queue.row(of: id)
        let now = clock.now
        return JobAccepted(
            jobID: id.number, requestID: row?.submission.request.shown ?? "",
            alreadyKnown: isKnown, state: row.map { .init($0.state.phase) } ?? .queued,
            placeInQueue: UInt32(clamping: estimate.place),
            estimatedStartMilliseconds: estimate.start.map { ($0 - now).milliseconds },
            estimatedEndMilliseconds: estimate.end.map { ($0 - now).milliseconds },
            hold: JobHold(estimate.hold))
    }

    private func failed(_ id: JobID, _ error: ServiceError) -> JobFailed {
        let row = queue.row(of: id)
        return JobFailed(
            jobID: id.number, requestID: row?.submission.request.shown ?? "", error: error,
            attempts: row?.state.attempt ?? 0, worker: row?.state.worker ?? "")
    }

    private func progress(
        _ id: JobID, _ step: Int, _ count: Int, _ end: Instant?, _ preview: BlobHandle?
    ) -> JobProgress {
        let row = queue.row(of: id)
        let steps = max(1, row?.submission.shape.steps ?? count)
        let report = reports[id]
        return JobProgress(
            jobID: id.number, requestID: row?.submission.request.shown ?? "",
            stage: report?.stage ?? .denoising,
            step: report?.step ?? UInt32(clamping: (step - 1) % steps + 1),
            steps: report?.steps ?? UInt32(clamping: steps),
            imageIndex: report?.imageIndex ?? UInt32(clamping: (step - 1) / steps),
            imageCount: UInt32(clamping: row?.submission.shape.images ?? 1),
            attempt: row?.state.attempt ?? 0,
            remainingMilliseconds: end.map { ($0 - clock.now).milliseconds },
            previewPNG: preview.flatMap { turn.bytes[$0] } ?? [])
    }

    private func send(_ lease: Lease, to id: WorkerID) {
        guard var request = Submission.request(in: lease.payload) else { return }
        recentRequests.note(lease.id.job, request)
        if request.seed == nil { request.seed = seed(of: lease.id.job) }
        var resume: ResumeState?
        if let point = lease.resume, let frame = bytes(of: point.blob),
            case .handBack(let handBack)? = try? WorkerMessage(frame: frame)
        {
            resume = handBack.resume
        }
        workerPeers[id]?.worker?.base = (lease.id, lease.resume?.step ?? 0)
        tell(
            id,
            .lease(
                LeaseGrant(
                    lease: lease.id.wire, request: request,
                    deadlineMilliseconds: lease.deadline.map { ($0 - clock.now).milliseconds },
                    preview: previewWishes[lease.id.job], resume: resume)))
    }

    /// The seed of a job that asked for none: the same at each attempt (splitmix64 of its number).
    private func seed(of id: JobID) -> UInt64 {
        var mixed = store.nonce &+ id.number &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ (mixed >> 31)) & 0xffff_ffff
    }
}
