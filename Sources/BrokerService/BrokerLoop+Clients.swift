// Requests of clients on their way to the queue.

import QueueCore
import WireProtocol
import ZeroMQSockets

extension BrokerLoop {
    /// Who everybody is where there are no keys.
    static let anyone = ClientID(name: "(anyone)")
    /// What a job takes in the store besides its payload, about.
    private static let rowBytes: Int64 = 512

    func takeClientMessage(_ message: RoutedMessage) throws {
        let peer = try clientPeer(of: message)
        let request: ClientMessage
        do throws(WireError) {
            guard let body = message.body else {
                throw WireError(
                    .malformed, "has several parts", field: "",
                    remedy: "send one message in one frame")
            }
            request = try ClientMessage(frame: body)
        } catch {
            sockets.malformed += 1
            let correlation = message.body.flatMap { CorrelationReader.correlation(in: $0) } ?? 0
            refuse(error.serviceError, correlation, message, peer)
            return
        }
        guard let role = role(of: message), role != .worker else {
            sockets.unauthorized += 1
            let error = ServiceError(
                code: .notAuthorized, sentence: "This key is not let in as a client.")
            refuse(error, request.correlation, message, peer)
            return
        }
        take(request, message, peer, isAdmin: role == .admin)
    }

    private func clientPeer(of message: RoutedMessage) throws -> Peer {
        if let peer = clients.peer(of: message) { return peer }
        try noteConnections()
        let (peer, displaced) = clients.enter(message)
        if let displaced { closeChannels(of: displaced) }
        return peer
    }

    /// The role of a message's key; everyone is an admin where there are no keys.
    private func role(of message: RoutedMessage) -> KeyRole? {
        guard let authenticator else { return .admin }
        return message.userID.flatMap { authenticator.keys[userID: $0]?.role }
    }

    private func refuse(
        _ error: ServiceError, _ correlation: UInt64, _ message: RoutedMessage, _ peer: Peer
    ) {
        let channel = channel(message, .unspecified, peer, client: Self.anyone, isAdmin: false)
        turn.actions.append(
            .reply(
                channel,
                ServerMessage(correlation: correlation, .failed(JobFailed(error: error)))))
    }

    private func take(
        _ request: ClientMessage, _ message: RoutedMessage, _ peer: Peer, isAdmin: Bool
    ) {
        let client = message.userID.map { ClientID(name: $0) } ?? Self.anyone
        let mode: ReplyMode =
            switch request.request {
            case .generate(let generate): generate.replies
            case .attach(let attach): attach.replies
            default: .unspecified
            }
        let connection = channel(message, mode, peer, client: client, isAdmin: isAdmin)
        guard let channel = channels[connection] else { return }
        turn.requests.append((connection, request.correlation))
        func requester(previews: Bool = false) -> Requester {
            self.requester(
                connection, channel, correlation: request.correlation, wantsPreviews: previews)
        }
        switch request.request {
        case .generate(let generate):
            submit(generate, request.correlation, connection, channel)
        case .attach(let attach):
            follow(attach, requester(previews: (attach.preview?.everySteps ?? 0) > 0))
        case .cancel(let cancel):
            apply(
                .cancelRequested(.init(cancel.job), by: requester()),
                EffectContext(request: .cancel))
        case .listQuarantine: apply(.quarantineListRequested(by: requester()))
        case .inspectQuarantine(let inspect):
            apply(.quarantineInspected(JobID(number: inspect.jobID), by: requester()))
        case .releaseQuarantine(let release):
            let id = JobID(number: release.jobID)
            let event: QueueEvent =
                release.discard
                ? .quarantineDiscarded(id, by: requester())
                : .quarantineReleased(id, by: requester())
            apply(event, EffectContext(request: .release))
        case .getStatus, .listJobs:
            answer(request, connection, client: client, isAdmin: isAdmin)
        }
    }

    private func submit(
        _ generate: GenerateRequest, _ correlation: UInt64, _ connection: ConnectionID,
        _ channel: Channel
    ) {
        var key = RequestID(key: generate.requestID)
        let wishes = (generate.preview?.everySteps ?? 0) > 0
        let requester = requester(
            connection, channel, correlation: correlation, wantsPreviews: wishes)
        do throws(WireError) {
            if isStopping { return fail(connection, correlation, .shuttingDown) }
            if key.key.isEmpty {
                lastMadeUpKey += 1
                let nonce = UInt64(bitPattern: startedAt.microseconds) ^ store.nonce
                key = RequestID(madeUp: lastMadeUpKey, nonce: nonce)
            } else if !key.isAllowed {
                throw WireError(
                    .invalidValue, "begins with a control character", field: "request_id",
                    remedy: "use printable characters")
            }
            let submission = try configuration.submission(
                generate, key: key, open: openShape(of: generate.request), at: clock.now)
            let known = queue.job(named: key, of: requester.client)
            if known == nil {
                turn.acceptedBytes += Int64(submission.payload.count) + Self.rowBytes
                if turn.acceptedBytes > store.availableBytes {
                    queue.countRefusal(.storeUnavailable)
                    return fail(connection, correlation, .diskFull)
                }
            }
            apply(
                .submitted(submission, by: requester, limits: allowance(of: requester.client)),
                EffectContext(isKnown: known != nil))
            if wishes, let job = queue.job(named: key, of: requester.client) {
                previewWishes[job] = generate.preview
            }
        } catch {
            fail(connection, correlation, error.inGenerate)
        }
    }

    private func follow(_ attach: AttachRequest, _ requester: Requester) {
        apply(
            .attachRequested(.init(attach.job), by: requester), EffectContext(isKnown: true))
        guard requester.wantsPreviews else { return }
        var job: JobID?
        switch attach.job {
        case .jobID(let number): job = JobID(number: number)
        case .requestID(let key):
            job = queue.job(named: RequestID(key: key), of: requester.client)
        }
        guard let job, let row = queue.row(of: job), row.client == requester.client else { return }
        switch row.state.phase {
        case .waiting, .leased: previewWishes[job] = attach.preview
        case .quarantined, .ended, .expired: break
        }
    }

    func fail(_ connection: ConnectionID, _ correlation: UInt64, _ error: ServiceError) {
        let failed = ServerMessage(correlation: correlation, .failed(JobFailed(error: error)))
        turn.actions.append(.reply(connection, failed))
    }

    /// What a key may use, from its file.
    private func allowance(of client: ClientID) -> ClientLimits {
        guard let limits = authenticator?.keys[userID: client.name]?.limits else {
            return .unlimited
        }
        return ClientLimits(
            queuedJobs: limits.queuedJobs.map { Int(clamping: $0) } ?? .max,
            pixelsPerHour: limits.pixelsPerHour.map { Int64(clamping: $0) } ?? .max)
    }

    func requester(
        _ connection: ConnectionID, _ channel: Channel, correlation: UInt64, wantsPreviews: Bool
    ) -> Requester {
        Requester(
            connection: connection, client: channel.client, isAdmin: channel.isAdmin,
            tag: correlation, wantsProgress: channel.key.mode == .all,
            wantsPreviews: wantsPreviews)
    }

    /// The way back for a message; it is let go at the end of the turn unless it follows a job.
    private func channel(
        _ message: RoutedMessage, _ wish: ReplyMode, _ peer: Peer, client: ClientID, isAdmin: Bool
    ) -> ConnectionID {
        var mode = wish
        if message.isFromRequestSocket, mode != .accepted { mode = .final }
        if mode == .unspecified { mode = .all }
        let key = ChannelKey(route: message.route, mode: mode)
        if let known = peer.channels[key] {
            channels[known]?.client = client
            channels[known]?.isAdmin = isAdmin
            return known
        }
        lastConnection += 1
        let id = ConnectionID(number: lastConnection)
        channels[id] = Channel(key: key, peer: peer, client: client, isAdmin: isAdmin)
        peer.channels[key] = id
        turn.channels.append(id)
        return id
    }

    func dropIfIdle(_ connection: ConnectionID) {
        guard let channel = channels[connection], channel.follows.isEmpty else { return }
        channels[connection] = nil
        channel.peer.channels[channel.key] = nil
    }

    /// A client is gone, as its connection's end shows.
    func closeClient(_ peer: Peer) {
        clients.remove(peer)
        closeChannels(of: peer)
    }

    private func closeChannels(of peer: Peer) {
        for connection in peer.channels.values.sorted(by: { $0.number < $1.number }) {
            channels[connection] = nil
            apply(.connectionClosed(connection))
        }
        peer.channels = [:]
    }
}

extension WireError {
    /// The error of a reply to `generate`, with the path from there.
    fileprivate var inGenerate: ServiceError {
        var error = serviceError
        error.field = "generate." + error.field
        return error
    }
}

extension ServiceError {
    fileprivate static let shuttingDown = ServiceError(
        code: .shuttingDown, sentence: "The server is going down; nothing was accepted.",
        retryable: true, retryAfterMilliseconds: 5000)

    /// What is left is kept for the endings of the jobs that were accepted before.
    fileprivate static let diskFull = ServiceError(
        code: .storageUnavailable,
        sentence: "The server's disk is full; nothing was accepted.",
        retryable: true, retryAfterMilliseconds: 60_000)
}
