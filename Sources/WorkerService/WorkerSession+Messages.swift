// What a worker does about the broker's messages.

import WireProtocol

extension WorkerSession {
    mutating func receive(_ message: BrokerMessage, at now: Instant) {
        lastHeard = now
        switch message {
        case .registered(let reply): becomeRegistered(reply, at: now)
        case .heartbeatReply: break
        case .lease(let grant): take(grant, at: now)
        case .revoke(let order): revoke(order.lease)
        case .drain(let order):
            drain(
                grace: order.graceMilliseconds.map { .milliseconds(Int(clamping: $0)) }
                    ?? .seconds(86_400), at: now)
        case .acknowledged(let receipt): acknowledge(receipt)
        case .refused(let refusal): refuse(refusal, at: now)
        case .goodbye(let goodbye):
            loseLink("the broker goes down (\(goodbye.reason))", at: now)
        }
    }

    /// Takes a lease, or gives it straight back.
    private mutating func take(_ grant: LeaseGrant, at now: Instant) {
        guard grant.lease != work?.order.lease else { return }
        if let result = kept.first(where: { $0.lease == grant.lease && $0.field != 14 }) {
            return send(result.message)
        }
        guard isReady, work == nil, drainDeadline == nil else {
            return handBack(grant.lease, grant.resume, at: now)
        }
        let order = WorkOrder(
            lease: grant.lease, request: grant.request, preview: grant.preview,
            resume: grant.resume)
        work = Work(order: order)
        perform(.order(order))
    }

    /// Stops the lease's work, or forgets its result; says so in either case, since the broker
    /// counts the lease's place as taken until it hears.
    mutating func revoke(_ lease: LeaseReference) {
        if work?.order.lease == lease {
            work?.stop = .revoked
            return perform(.cancel(lease))
        }
        let steps = kept.first { $0.lease == lease }?.stepCounter ?? 0
        kept.removeAll { $0.lease == lease }
        send(.workCancelled(WorkCancelled(lease: lease, stepsDone: UInt32(clamping: steps))))
    }

    /// The broker has it on disk. With a final message on disk nothing of the lease is needed.
    private mutating func acknowledge(_ receipt: LeaseAcknowledged) {
        let isFinal = receipt.messageField != 14
        kept.removeAll { item in
            guard item.lease == receipt.lease else { return false }
            return isFinal || (item.field == 14 && item.imageIndex == receipt.imageIndex)
        }
    }

    private mutating func refuse(_ refusal: WorkerRefused, at now: Instant) {
        guard let lease = refusal.lease else {
            return loseLink("the broker refuses: \(refusal.error.sentence)", at: now)
        }
        perform(.log("job \(lease.jobID) was refused: \(refusal.error.sentence)"))
        // What may be taken later is kept, and sent again.
        if !refusal.error.retryable { revoke(lease) }
    }
}
