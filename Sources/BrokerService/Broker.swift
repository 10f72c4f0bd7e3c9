// A running broker: its thread, its endpoints, its end.

import Foundation
import QueueCore
import Synchronization
import ZeroMQSockets

/// A broker that runs in a thread of its own.
public final class Broker: Sendable {
    private enum Phase {
        case starting
        case running(client: String, worker: String)
        case ended(BrokerError?)
    }

    private struct State {
        var phase = Phase.starting
        var isStopWanted = false
        var isAbandoned = false
    }

    /// The bound endpoints, with their actual ports.
    public let clientEndpoint: String
    /// See `clientEndpoint`.
    public let workerEndpoint: String
    /// The state for the status pages.
    public let board: SnapshotBoard
    private let control: Control

    /// Starts a broker; returns when both sockets are bound and the journal is read.
    ///
    /// - Throws: `BrokerError` where the store, the keys or an endpoint cannot be used.
    public init(_ configuration: BrokerConfiguration) throws(BrokerError) {
        do {
            let waker = try Waker()
            let control = Control(waker: waker)
            let board = SnapshotBoard(waker: waker)
            let thread = Thread { control.run(configuration, waker, board) }
            thread.name = "broker"
            thread.stackSize = 8 << 20
            thread.start()
            (clientEndpoint, workerEndpoint) = try control.waitUntilBound()
            self.board = board
            self.control = control
        } catch {
            throw BrokerError(error)
        }
    }

    /// Asks the broker to end: it refuses new jobs, says goodbye and closes the journal. Returns at
    /// once. The running jobs go on in their workers.
    public func stop() { control.stop(isAbandoned: false) }

    /// Ends the loop as a crash would: nothing is answered, stored or said any more.
    func abandon() { control.stop(isAbandoned: true) }

    /// Waits for the end; throws if a fault was the cause.
    public func wait() throws(BrokerError) { try control.waitUntilEnded() }

    /// Whether it still runs.
    public var isRunning: Bool { control.isRunning }

    /// What the broker's thread shares with the others.
    private final class Control: Sendable {
        private let state = Mutex(State())
        private let waker: Waker
        private let changed = DispatchSemaphoreBox()

        init(waker: Waker) { self.waker = waker }

        var isRunning: Bool {
            state.withLock { if case .ended = $0.phase { false } else { true } }
        }

        func stop(isAbandoned: Bool) {
            state.withLock {
                $0.isStopWanted = true
                $0.isAbandoned = $0.isAbandoned || isAbandoned
            }
            waker.wake()
        }

        func waitUntilBound() throws(BrokerError) -> (String, String) {
            changed.bound.wait()
            changed.bound.signal()
            switch state.withLock({ $0.phase }) {
            case .running(let client, let worker): return (client, worker)
            case .ended(let error):
                throw error
                    ?? BrokerError(.thread, "it ended at once", at: "broker", remedy: "try again")
            case .starting:
                throw BrokerError(.thread, "it did not start", at: "broker", remedy: "try again")
            }
        }

        func waitUntilEnded() throws(BrokerError) {
            changed.ended.wait()
            changed.ended.signal()
            if case .ended(let error?) = state.withLock({ $0.phase }) { throw error }
        }

        func run(_ configuration: BrokerConfiguration, _ waker: Waker, _ board: SnapshotBoard) {
            var fault: BrokerError?
            do {
                let loop = try BrokerLoop(configuration, waker: waker, board: board)
                let client = try loop.clientSocket.socket.boundEndpoint()
                let worker = try loop.workerSocket.socket.boundEndpoint()
                state.withLock { $0.phase = .running(client: client, worker: worker) }
                changed.bound.signal()
                try turn(loop)
            } catch {
                fault = BrokerError(error)
            }
            state.withLock { $0.phase = .ended(fault) }
            changed.bound.signal()
            changed.ended.signal()
        }

        private func turn(_ loop: BrokerLoop) throws {
            while !loop.isStopping {
                try loop.runTurn()
                let (stops, isAbandoned) = state.withLock { ($0.isStopWanted, $0.isAbandoned) }
                if isAbandoned { return }
                if stops { try loop.close() }
            }
            if let fault = loop.journal.fault {
                throw BrokerError(
                    .journal, fault, at: "journal", remedy: "look at the file system")
            }
        }
    }
}

/// Two signals: bound (or failed), and ended.
private final class DispatchSemaphoreBox: Sendable {
    let bound = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)
}

extension BrokerLoop {
    /// The graceful end: answers what has come, says goodbye, empties the outboxes for a second at
    /// most and closes the journal.
    func close() throws {
        isStopping = true
        try runTurn()
        sayGoodbye()
        let end = clock.now + TimeSpan.seconds(1)
        while clock.now < end, !(clients.waiting.isEmpty && workers.waiting.isEmpty) {
            try flushOutboxes()
            usleep(2000)
        }
        try store.close()
    }
}
