// What a worker does about the compute thread's reports, about time, and about being told to stop.

import WireProtocol

extension WorkerSession {
    mutating func receive(_ event: ComputeEvent, at now: Instant) {
        switch event {
        case .loaded(let capabilities):
            setCapabilities(capabilities)
            tick(at: now)
        case .warmedUp(let seconds, let secondsAStep):
            perform(.log("ready after a warm-up of \(seconds) s"))
            becomeReady(seconds: seconds, secondsAStep: secondsAStep)
        case .unusable(let error):
            send(.goodbye(Goodbye(reason: error.serviceError.sentence)))
            end(error)
        case .stage(let lease, let stage, let imageIndex):
            guard let work, work.order.lease == lease, work.stop == nil else { return }
            let last = work.lastStep
            send(
                .stepReport(
                    StepReport(
                        lease: lease, stage: stage, step: UInt32(clamping: last?.step ?? 0),
                        steps: UInt32(clamping: last?.stepCount ?? 0),
                        imageIndex: UInt32(clamping: imageIndex))))
        case .step(let lease, let step): stepDone(lease, step, at: now)
        case .image(let lease, let image, let isLast): imageDone(lease, image, isLast, at: now)
        case .finished(let lease, let summary): finish(lease, summary, at: now)
        case .failed(let lease, let error): fail(lease, error, at: now)
        case .stopped(let lease): stopped(lease, at: now)
        }
    }

    private mutating func stepDone(_ lease: LeaseReference, _ step: WorkStep, at now: Instant) {
        guard work?.order.lease == lease else { return }
        work?.lastStep = step
        work?.lastStep?.previewPNG = []
        work?.stepCounter += 1
        secondsAStep = step.seconds
        guard work?.stop == nil else { return }
        send(.stepReport(Self.report(step, lease)))
        handBackIfTooLong(at: now)
    }

    private mutating func imageDone(
        _ lease: LeaseReference, _ image: GeneratedImage, _ isLast: Bool, at now: Instant
    ) {
        guard work?.order.lease == lease, work?.stop != .revoked else { return }
        if isLast {
            work?.lastImage = image
        } else {
            keep(
                .imageFinished(ImageFinished(lease: lease, image: image)), lease, 14, image.index,
                now)
        }
    }

    private mutating func finish(_ lease: LeaseReference, _ summary: WorkSummary, at now: Instant) {
        guard let work, work.order.lease == lease else { return }
        guard work.stop != .revoked else { return stopped(lease, at: now) }
        let result = WorkCompleted(
            lease: lease, images: work.lastImage.map { [$0] } ?? [], seconds: summary.seconds,
            pruning: summary.pruning, imageCount: UInt32(clamping: summary.imageCount))
        keep(.workCompleted(result), lease, 15, 0, now)
        self.work = nil
        tick(at: now)
    }

    private mutating func fail(_ lease: LeaseReference, _ error: ServiceError, at now: Instant) {
        guard let work, work.order.lease == lease else { return }
        guard work.stop != .revoked else { return stopped(lease, at: now) }
        perform(.log("job \(lease.jobID) failed: \(error.sentence)"))
        keep(.workFailed(WorkFailed(lease: lease, error: error)), lease, 16, 0, now)
        self.work = nil
        tick(at: now)
    }

    private mutating func stopped(_ lease: LeaseReference, at now: Instant) {
        guard let work, work.order.lease == lease else { return }
        if work.stop == .handBack {
            perform(.log("job \(lease.jobID) is handed back"))
            handBack(lease, work.lastStep?.resume ?? work.order.resume, at: now)
            self.work = nil
            return tick(at: now)
        }
        self.work = nil
        kept.removeAll { $0.lease == lease }
        let steps = UInt32(clamping: work.stepCounter)
        send(.workCancelled(WorkCancelled(lease: lease, stepsDone: steps)))
    }

    /// Gives a lease back, with what there is of it. Were this lost, the broker would wait for the
    /// lease in vain, and count its end as a death.
    mutating func handBack(_ lease: LeaseReference, _ resume: ResumeState?, at now: Instant) {
        keep(.handBack(HandBack(lease: lease, resume: resume)), lease, 18, 0, now)
    }

    private mutating func keep(
        _ message: WorkerMessage, _ lease: LeaseReference, _ field: UInt32, _ imageIndex: UInt32,
        _ now: Instant
    ) {
        kept.append(
            Kept(
                lease: lease, message: message, field: field, imageIndex: imageIndex,
                stepCounter: work?.order.lease == lease ? work?.stepCounter ?? 0 : 0, sentAt: now))
        send(message)
    }

    // Being told to stop.

    /// Takes no more work; what is at work is finished, or handed back when the grace is over.
    mutating func drain(grace: Duration, at now: Instant) {
        let deadline = now + grace
        guard drainDeadline.map({ deadline < $0 }) ?? true else { return }
        if drainDeadline == nil { perform(.log("draining")) }
        drainDeadline = deadline
        if link == .registered { nextHeartbeat = now }
        handBackIfTooLong(at: now)
        tick(at: now)
    }

    /// Stops work that would not be done within the grace.
    private mutating func handBackIfTooLong(at now: Instant) {
        guard let drainDeadline, let work, work.stop == nil else { return }
        var expected = Duration.zero
        if let step = work.lastStep, let secondsAStep {
            expected = .seconds(Double(step.remainingSteps) * secondsAStep)
        }
        guard now + expected >= drainDeadline else { return }
        self.work?.stop = .handBack
        perform(.cancel(work.order.lease))
    }

    // Time.

    /// When `tick` has something to do at the latest.
    var nextTick: Instant {
        var times = [drainDeadline.map { max($0, lastHeard) }].compactMap { $0 }
        switch link {
        case .down(let until): times.append(until)
        case .registering(let since): times.append(since + options.registrationPatience)
        case .registered: times += [nextHeartbeat, lastHeard + silenceAllowed]
        }
        return times.min() ?? lastHeard
    }

    private var silenceAllowed: Duration { heartbeatInterval * missedHeartbeatsAllowed }

    mutating func tick(at now: Instant) {
        guard capabilities != nil, !hasEnded else { return endIfDrained(at: now) }
        switch link {
        case .down(let until):
            if now >= until { register(at: now) }
        case .registering(let since):
            if now - since >= options.registrationPatience {
                loseLink("the broker does not answer", at: now)
            }
        case .registered:
            if now - lastHeard >= silenceAllowed {
                loseLink("the broker is silent", at: now)
            } else if now >= nextHeartbeat {
                beat(at: now)
            }
            repeatKept(at: now)
        }
        handBackIfTooLong(at: now)
        endIfDrained(at: now)
    }

    private mutating func repeatKept(at now: Instant) {
        for index in kept.indices where now - kept[index].sentAt >= options.resultPatience {
            kept[index].sentAt = now
            send(kept[index].message)
        }
    }

    /// A drained worker says goodbye once all that it kept is safe, or after twice the patience for
    /// that: what is lost then is made again elsewhere.
    private mutating func endIfDrained(at now: Instant) {
        guard let drainDeadline, !hasEnded, work == nil else { return }
        guard kept.isEmpty || now >= drainDeadline + options.resultPatience * 2 else { return }
        send(.goodbye(Goodbye(reason: "drained")))
        end()
    }
}

extension WorkerSession {
    /// A result that no frame can hold is a failure of its job; what is handed back goes without
    /// its latents.
    mutating func encodingFailed(_ message: WorkerMessage, _ error: WireError, at now: Instant) {
        let lease: LeaseReference
        switch message {
        case .workCompleted(let result): lease = result.lease
        case .imageFinished(let result): lease = result.lease
        case .handBack(let back):
            kept.removeAll { $0.lease == back.lease && $0.field == 18 }
            if back.resume != nil { handBack(back.lease, nil, at: now) }
            return
        default: return
        }
        kept.removeAll { $0.lease == lease }
        if work?.order.lease == lease { revoke(lease) }
        let fault = WorkerError(.limitExceeded, "the result \(error)", remedy: "ask for less")
        keep(.workFailed(WorkFailed(lease: lease, error: fault.serviceError)), lease, 16, 0, now)
    }
}
