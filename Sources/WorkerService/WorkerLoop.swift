// The I/O thread of a worker: one socket, one poller. It only moves messages, so that neither
// heartbeats nor cancellations ever wait for the model.

import Foundation
import Glibc
import WireProtocol
import ZeroMQSockets

/// Runs a worker until it is told to stop or cannot go on.
public struct Worker: Sendable {
    let options: WorkerOptions
    let makeGenerator: @Sendable () throws -> any ImageGenerating
    let isStopRequested: @Sendable () -> Bool
    let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - isStopRequested: asked a few times a second; once it is true the worker drains
    ///   - log: takes one line
    ///   - makeGenerator: loads the model; called once, on the compute thread
    public init(
        options: WorkerOptions, isStopRequested: @escaping @Sendable () -> Bool = { false },
        log: @escaping @Sendable (String) -> Void = { _ in },
        makeGenerator: @escaping @Sendable () throws -> any ImageGenerating
    ) {
        self.options = options
        self.isStopRequested = isStopRequested
        self.log = log
        self.makeGenerator = makeGenerator
    }

    /// Works until drained. The calling thread becomes the I/O thread.
    /// - Throws: `WorkerError` if the model cannot be used, `ZeroMQError` if the broker's address
    ///   or the keys cannot.
    public func run() throws {
        let loop = try WorkerLoop(self)
        try loop.run()
    }
}

/// One run of a worker.
final class WorkerLoop {
    /// How often a request to stop is looked for.
    private static let attentionMilliseconds = 100

    /// How long replies are read after the goodbye.
    private static let farewellMilliseconds = 300

    private let worker: Worker
    private let waker: Waker
    private let mailbox: ComputeMailbox
    private let context: ZeroMQContext
    private var socket: ZeroMQSocket?
    private var poller = Poller()
    private var socketEntry: Poller.Entry?
    private var wakerEntry: Poller.Entry?
    private var session: WorkerSession
    /// Encoded messages that the socket would not take yet.
    private var unsent: [[UInt8]] = []
    private var outcome: Result<Void, WorkerError>?
    private var isDraining = false

    init(_ worker: Worker) throws {
        self.worker = worker
        waker = try Waker()
        mailbox = ComputeMailbox(waker: waker)
        context = try ZeroMQContext()
        session = WorkerSession(
            options: worker.options, processID: UInt64(getpid()),
            incarnation: UInt64.random(in: 1...UInt64(Int64.max)), now: .now)
        // Addresses and keys that cannot be used are told at once, not at each attempt.
        socket = try makeSocket()
        socket = nil
        watch()
    }

    func run() throws {
        // Works only with the right to it; the compute thread steps back in any case.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -5)
        ComputeThread.start(mailbox, makeGenerator: worker.makeGenerator)
        defer { mailbox.close() }
        while outcome == nil { try turn() }
        try outcome?.get()
    }

    private func turn() throws {
        _ = try poller.wait(milliseconds: timeout)
        waker.clear()
        let now = ContinuousClock.now
        if !isDraining, worker.isStopRequested() {
            isDraining = true
            session.drain(grace: worker.options.grace, at: now)
        }
        try receive(at: now)
        for event in mailbox.takeEvents() {
            session.receive(event, at: now)
            try act()
        }
        session.tick(at: now)
        try act()
        try flush()
    }

    private var timeout: Int {
        let left = ContinuousClock.now.duration(to: session.nextTick) / .milliseconds(1)
        return min(max(Int(left.rounded(.up)), 0), Self.attentionMilliseconds)
    }

    private func receive(at now: ContinuousClock.Instant) throws {
        // The session may replace the socket on the way; the new one is read at the next turn.
        guard let current = socket else { return }
        while socket === current, let message = try current.receive() {
            guard let frame = message.frames.last, message.frames.count <= 2 else {
                worker.log("passed over a message of \(message.frames.count) frames")
                continue
            }
            do {
                session.receive(try BrokerMessage(frame: frame), at: now)
            } catch {
                worker.log("passed over a message: \(error)")
            }
            try act()
        }
    }

    /// Carries out what the session wants.
    private func act() throws {
        for action in session.takeActions() {
            switch action {
            case .connect:
                disconnect()
                socket = try makeSocket()
                watch()
            case .disconnect: disconnect()
            case .send(let message): queue(message)
            case .order(let order): mailbox.order(order)
            case .cancel(let lease): mailbox.cancel(lease)
            case .log(let line): worker.log(line)
            case .end(let error):
                try flush()
                try lingerOn()
                outcome = error.map { .failure($0) } ?? .success(())
            }
        }
    }

    private func makeSocket() throws -> ZeroMQSocket {
        var socketOptions = SocketOptions()
        socketOptions.security = worker.options.security
        socketOptions.maximumFrameBytes = Int64(WireLimits.brokerFrame.bytes)
        socketOptions.sendsOnlyWhenConnected = true
        let socket = try ZeroMQSocket(.dealer, in: context, options: socketOptions)
        try socket.connect(to: worker.options.broker)
        return socket
    }

    private func disconnect() {
        socket = nil
        unsent = []
        watch()
    }

    private func watch() {
        poller = Poller()
        wakerEntry = poller.add(waker)
        socketEntry = socket.map { poller.add($0) }
    }

    private func queue(_ message: WorkerMessage) {
        do {
            unsent.append(try message.encoded())
        } catch {
            worker.log("a message cannot be sent: \(error)")
            session.encodingFailed(message, error, at: .now)
        }
    }

    /// Reads a little longer after the last word: to close a TCP connection with an answer unread
    /// resets it, and what the broker has not read yet, such as that last word, is lost.
    private func lingerOn() throws {
        let end = ContinuousClock.now + .milliseconds(Self.farewellMilliseconds)
        while let socket, ContinuousClock.now < end {
            while try socket.receive() != nil {}
            try flush()
            usleep(10_000)
        }
    }

    /// Sends what the socket takes, and waits for room if it does not take all.
    private func flush() throws {
        guard let socket, let socketEntry else { return }
        var count = 0
        while count < unsent.count, try socket.send([unsent[count]]) == .sent { count += 1 }
        unsent.removeFirst(count)
        poller.setInterest(
            unsent.isEmpty ? .readable : [.readable, .writable], of: socketEntry)
    }
}
