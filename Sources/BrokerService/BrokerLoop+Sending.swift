// Messages on their way out. Sending never blocks: what a peer does not take now waits in its
// outbox, and what does not fit there is dropped and counted. A dropped final reply is not lost:
// the result stands, and the client attaches again.

import QueueCore
import WireProtocol
import ZeroMQSockets

extension BrokerLoop {
    /// Frames larger than this are accounted for while the library has them.
    private static let largeFrameBytes = 64 << 10

    func reply(
        _ message: ServerMessage, to connection: ConnectionID,
        progress: Outgoing.ProgressKey? = nil
    ) {
        guard let channel = channels[connection], let frame = encode(message) else { return }
        post(
            Outgoing(route: channel.key.route, body: .bytes(frame), progress: progress),
            to: channel.peer, isClient: true)
    }

    private func encode(_ message: ServerMessage) -> [UInt8]? {
        do throws(WireError) {
            return try message.encoded()
        } catch {
            let failed = ServerMessage(
                correlation: message.correlation,
                .failed(JobFailed(error: ServiceError(code: .internal, sentence: error.what))))
            return try? failed.encoded()
        }
    }

    func sendResult(
        _ blob: BlobHandle, _ job: JobID, correlation: UInt64, to connection: ConnectionID
    ) {
        guard let channel = channels[connection] else { return }
        post(
            Outgoing(
                route: channel.key.route, body: .result(blob, job, correlation: correlation)),
            to: channel.peer, isClient: true)
    }

    func tell(_ id: WorkerID, _ message: BrokerMessage) {
        guard let peer = workerPeers[id], let worker = peer.worker else { return }
        guard let frame = try? message.encoded() else {
            sockets.dropped += 1
            return
        }
        post(Outgoing(route: worker.route, body: .bytes(frame)), to: peer, isClient: false)
    }

    private func post(_ item: Outgoing, to peer: Peer, isClient: Bool) {
        guard !peer.isGone else { return }
        if peer.outbox.count == 0 {
            switch attempt(item, to: peer, isClient: isClient) {
            case .sent, .unroutable: return
            case .full: break
            }
        }
        let wasEmpty = peer.outbox.count == 0
        let outcome = peer.outbox.append(
            item, count: configuration.repliesPerPeer, bytes: byteLimit(isClient))
        switch outcome {
        case .kept:
            if wasEmpty {
                if isClient { clients.waiting.append(peer) } else { workers.waiting.append(peer) }
            }
        case .replaced: sockets.coalesced += 1
        case .dropped: sockets.dropped += 1
        }
    }

    private func byteLimit(_ isClient: Bool) -> Int {
        isClient ? configuration.replyBytesPerPeer : WireLimits.brokerFrame.bytes
    }

    /// Hands a message to the library.
    private func attempt(_ item: Outgoing, to peer: Peer, isClient: Bool) -> SendOutcome {
        if case .result = item.body, peer.load.bytes > configuration.resultBytesInFlightPerPeer {
            return .full
        }
        let frame = frame(of: item)
        let socket = isClient ? clientSocket : workerSocket
        do throws(ZeroMQError) {
            let outcome =
                frame.count > Self.largeFrameBytes
                ? try socket.send(frame, to: item.route, load: peer.load)
                : try socket.send(frame, to: item.route)
            switch outcome {
            case .sent: sockets.sent += 1
            case .unroutable: lose(peer, isClient: isClient)
            case .full: break
            }
            return outcome
        } catch {
            sockets.dropped += 1
            return .unroutable
        }
    }

    private func frame(of item: Outgoing) -> [UInt8] {
        switch item.body {
        case .bytes(let bytes): return bytes
        case .result(let handle, let job, let correlation):
            if let stored = bytes(of: handle) {
                return CorrelationReader.adding(correlation, to: stored)
            }
            let request = queue.row(of: job)?.submission.request.shown ?? ""
            let failed = JobFailed(
                jobID: job.number, requestID: request,
                error: ServiceError(QueueError.expired, at: clock.now))
            return encode(ServerMessage(correlation: correlation, .failed(failed))) ?? []
        }
    }

    /// A peer turned out to be gone; the queue learns of it in the next turn.
    private func lose(_ peer: Peer, isClient: Bool) {
        guard isClient else { return forgetWorker(peer) }
        clients.remove(peer)
        for connection in peer.channels.values.sorted(by: { $0.number < $1.number }) {
            channels[connection] = nil
            lostChannels.append(connection)
        }
        peer.channels = [:]
    }

    /// Sends what waits, as far as the peers take it.
    func flushOutboxes() throws {
        clients.waiting = clients.waiting.filter { flush($0, isClient: true) }
        workers.waiting = workers.waiting.filter { flush($0, isClient: false) }
    }

    /// Returns whether something still waits.
    private func flush(_ peer: Peer, isClient: Bool) -> Bool {
        while !peer.isGone, let item = peer.outbox.first {
            if attempt(item, to: peer, isClient: isClient) == .full { return true }
            peer.outbox.removeFirst()
        }
        return false
    }

    /// The last words: workers learn that the broker goes, so that they look out for the next.
    func sayGoodbye() {
        for id in workerPeers.keys.sorted(by: { $0.number < $1.number }) {
            tell(id, .goodbye(Goodbye(reason: "The broker is going down.")))
        }
    }
}

extension QueueError {
    fileprivate static let expired = QueueError(
        .resultExpired, "the job has ended and its outcome is not kept any more", at: "job",
        remedy: "submit it again under a fresh request id")
}
