// The client's thread: one DEALER, and a table of the requests that are under way.

import WireProtocol
import ZeroMQSockets

/// Runs on the client's thread from beginning to end.
final class ClientLoop {
    private typealias Instant = ContinuousClock.Instant

    /// A request under way.
    private struct Pending {
        let frame: [UInt8]
        let endsAtFirstReply: Bool
        let handler: @Sendable (ClientEvent) -> Void
        /// When it is sent again unless something is heard of it.
        var repeatAt: Instant
        /// When it was last heard of, or begun.
        var heardAt: Instant
        var wasAccepted = false
        var retries = 0
    }

    private let options: ClientOptions
    private let mailbox: ClientMailbox
    private let socket: ZeroMQSocket
    private var poller = Poller()
    private let socketEntry: Poller.Entry
    private var pending: [UInt64: Pending] = [:]
    private var unsent: [[UInt8]] = []
    /// When the table is next searched for requests that wait too long.
    private var nextSearch = ContinuousClock.now

    /// The table is searched so often.
    private static let searchInterval = Duration.milliseconds(100)

    init(options: ClientOptions, mailbox: ClientMailbox) throws {
        self.options = options
        self.mailbox = mailbox
        socket = try Self.makeSocket(options, in: try ZeroMQContext())
        socketEntry = poller.add(socket)
        _ = poller.add(mailbox.waker)
    }

    static func makeSocket(
        _ options: ClientOptions, in context: ZeroMQContext
    ) throws -> ZeroMQSocket {
        var socketOptions = SocketOptions()
        socketOptions.security = options.security
        socketOptions.maximumFrameBytes = Int64(WireLimits.serverFrame.bytes)
        socketOptions.sendsOnlyWhenConnected = true
        let socket = try ZeroMQSocket(.dealer, in: context, options: socketOptions)
        try socket.connect(to: options.broker)
        return socket
    }

    func run() throws {
        defer {
            for entry in pending.values {
                entry.handler(.end(ClientError(.closed, "the client was closed")))
            }
        }
        while true {
            _ = try poller.wait(
                milliseconds: pending.isEmpty && unsent.isEmpty ? nil : 100)
            mailbox.waker.clear()
            let now = ContinuousClock.now
            let (orders, isClosed) = mailbox.take()
            for order in orders { obey(order, at: now) }
            while let message = try socket.receive() {
                guard let frame = message.frames.last,
                    let reply = try? ServerMessage(frame: frame)
                else { continue }
                receive(reply, at: now)
            }
            if now >= nextSearch {
                nextSearch = now + Self.searchInterval
                search(at: now)
            }
            try flush()
            if isClosed { return }
        }
    }

    private func obey(_ order: ClientOrder, at now: Instant) {
        switch order {
        case .submit(let number, let request, let endsAtFirstReply, let handler):
            do {
                let frame = try ClientMessage(correlation: number, request).encoded()
                pending[number] = Pending(
                    frame: frame, endsAtFirstReply: endsAtFirstReply, handler: handler,
                    repeatAt: now + options.repetition, heardAt: now)
                unsent.append(frame)
            } catch {
                handler(
                    .end(
                        ClientError(
                            .invalidRequest, error.what, location: error.location,
                            remedy: error.remedy, serviceError: error.serviceError)))
            }
        case .forget(let number, let instead):
            guard pending.removeValue(forKey: number) != nil, let instead else { return }
            let message = ClientMessage(correlation: mailbox.nextNumber(), instead)
            if let frame = try? message.encoded() { unsent.append(frame) }
        }
    }

    private func receive(_ message: ServerMessage, at now: Instant) {
        let number = message.correlation
        guard let entry = pending[number] else { return }
        if case .failed(let failure) = message.reply, failure.jobID == 0, failure.error.retryable,
            entry.retries < options.retries
        {
            return retryLater(number, failure.error, at: now)
        }
        pending[number]?.heardAt = now
        pending[number]?.repeatAt = now + options.repetition
        switch message.reply {
        case .accepted where !entry.endsAtFirstReply:
            // The answer to a repetition is no news.
            guard !entry.wasAccepted else { return }
            pending[number]?.wasAccepted = true
            entry.handler(.reply(message.reply))
        case .progress:
            entry.handler(.reply(message.reply))
        default:
            pending[number] = nil
            entry.handler(.reply(message.reply))
            entry.handler(.end(nil))
        }
    }

    private func retryLater(_ number: UInt64, _ error: ServiceError, at now: Instant) {
        guard var entry = pending[number] else { return }
        let growing = options.retryPause * (1 << min(entry.retries, 6))
        let pause = error.retryAfterMilliseconds.map {
            Duration.milliseconds(min(Int(clamping: $0), 3_600_000))
        }
        entry.retries += 1
        entry.repeatAt = now + (pause ?? growing)
        entry.heardAt = entry.repeatAt
        pending[number] = entry
    }

    /// Repeats what was not answered, and gives up what has not been for too long.
    private func search(at now: Instant) {
        var repeated: [[UInt8]] = []
        for (number, entry) in pending {
            if let patience = options.patience, now - entry.heardAt >= patience {
                pending[number] = nil
                entry.handler(
                    .end(
                        ClientError(
                            .unreachable, "the broker has not answered for \(patience)",
                            location: options.broker,
                            remedy: "check that it runs there and that it knows this key")))
            } else if now >= entry.repeatAt {
                pending[number]?.repeatAt = now + options.repetition
                // What could not even be sent needs no repetition.
                if unsent.isEmpty { repeated.append(entry.frame) }
            }
        }
        unsent += repeated
    }

    private func flush() throws {
        var count = 0
        while count < unsent.count, try socket.send([unsent[count]]) == .sent { count += 1 }
        unsent.removeFirst(count)
        poller.setInterest(unsent.isEmpty ? .readable : [.readable, .writable], of: socketEntry)
    }
}
