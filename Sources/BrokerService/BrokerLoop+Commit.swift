// The end of a turn: on disk first, then out of the door. A failed transaction takes the path of a
// crash: the queue is rebuilt from the journal, and nothing of the turn is said.

import JobStore
import QueueCore
import WireProtocol

extension BrokerLoop {
    func finishTurn() {
        if !turn.store.isEmpty {
            let start = clock.now
            do {
                try store.commit(turn.store)
                journal.observe(
                    (clock.now - start).seconds, entries: turn.store.entries.count)
            } catch {
                return recover(from: error)
            }
        }
        let actions = turn.actions
        for action in actions { carryOut(action) }
        clearTurn()
    }

    private func clearTurn() {
        for connection in turn.channels { dropIfIdle(connection) }
        turn.store = StoreTurn()
        turn.actions.removeAll(keepingCapacity: true)
        turn.bytes.removeAll(keepingCapacity: true)
        turn.requests.removeAll(keepingCapacity: true)
        turn.acceptedBytes = 0
        turn.channels.removeAll(keepingCapacity: true)
    }

    /// Nothing of this turn happened.
    private func recover(from error: JobStoreError) {
        journal.failures += 1
        journal.fault = error.description
        let requests = turn.requests
        let touched = turn.channels
        turn = Turn()
        turn.channels = touched
        for request in requests {
            let refusal = ServiceError(
                code: .storageUnavailable, sentence: "The server cannot write to its disk.",
                retryable: true, retryAfterMilliseconds: 5000)
            reply(
                ServerMessage(
                    correlation: request.correlation, .failed(JobFailed(error: refusal))),
                to: request.channel)
        }
        rebuildQueue()
        apply(.journalBecameUnavailable)
        nextProbe = clock.now + .seconds(1)
        for action in turn.actions { carryOut(action) }
        clearTurn()
    }

    /// The queue as the journal has it; those who followed jobs follow them again, and workers are
    /// asked to register when they next say something.
    private func rebuildQueue() {
        var effects: [QueueEffect] = []
        guard let snapshot = try? store.snapshot(),
            let rebuilt = try? JobQueue(
                recovering: snapshot, limits: configuration.effectiveQueueLimits, at: clock.now,
                into: &effects)
        else {
            journal.fault = (journal.fault ?? "") + " The journal cannot be read, either."
            isStopping = true
            return
        }
        // What the recovery would store is due again by the queue's timers.
        queue = rebuilt
        for (connection, channel) in channels.sorted(by: { $0.key.number < $1.key.number }) {
            for (job, correlation) in channel.follows.sorted(by: { $0.key < $1.key }) {
                let requester = requester(
                    connection, channel, correlation: correlation,
                    wantsPreviews: previewWishes[job] != nil)
                apply(
                    .attachRequested(.job(job), by: requester), EffectContext(isSilent: true))
            }
        }
    }

    /// Looks whether the store can be written again.
    func probeStore() {
        nextProbe = clock.now + .seconds(1)
        guard (try? store.probe()) != nil else { return }
        nextProbe = nil
        journal.fault = nil
        apply(.journalBecameAvailable)
        reviewShapes()
    }
}
