// Waiting for sockets, and for other threads.

import CZeroMQ
import Glibc

/// What a loop waits for, and what has come.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: Int16
    public init(rawValue: Int16) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: Int16(ZMQ_POLLIN))
    public static let writable = Readiness(rawValue: Int16(ZMQ_POLLOUT))
}

/// Waits for several sockets at a time. Owned by the thread that owns the sockets.
public struct Poller {
    /// Names one entry.
    public struct Entry: Sendable, Hashable {
        let index: Int
    }

    private var items: [zmq_pollitem_t] = []
    private var sockets: [ZeroMQSocket] = []
    private var wakers: [Waker] = []

    public init() {}

    public mutating func add(_ socket: ZeroMQSocket, for interest: Readiness = .readable) -> Entry {
        sockets.append(socket)
        items.append(
            zmq_pollitem_t(socket: socket.handle, fd: 0, events: interest.rawValue, revents: 0))
        return Entry(index: items.count - 1)
    }

    public mutating func add(_ waker: Waker) -> Entry {
        wakers.append(waker)
        items.append(
            zmq_pollitem_t(
                socket: nil, fd: waker.descriptor, events: Readiness.readable.rawValue, revents: 0))
        return Entry(index: items.count - 1)
    }

    /// Waits for something else from now on; an empty interest is not waited for.
    public mutating func setInterest(_ interest: Readiness, of entry: Entry) {
        items[entry.index].events = interest.rawValue
    }

    /// Waits until an entry is ready or the time is over; returns whether one is. A signal ends
    /// the wait early.
    ///
    /// - Parameter milliseconds: nil waits for ever.
    public mutating func wait(milliseconds: Int?) throws(ZeroMQError) -> Bool {
        for index in items.indices { items[index].revents = 0 }
        let count = zmq_poll(&items, Int32(items.count), milliseconds ?? -1)
        if count < 0 {
            guard zmq_errno() == EINTR else { throw .last("poll") }
            return false
        }
        return count > 0
    }

    /// What the last wait found.
    public func readiness(of entry: Entry) -> Readiness {
        Readiness(rawValue: items[entry.index].revents)
    }
}

/// Ends a poller's wait from any thread.
public final class Waker: Sendable {
    let descriptor: Int32

    public init() throws(ZeroMQError) {
        descriptor = turbine_eventfd_open()
        guard descriptor >= 0 else { throw .last("event descriptor") }
    }

    deinit {
        close(descriptor)
    }

    /// The poller's wait ends, now or at its next turn. May be called from a signal handler.
    public func wake() {
        var one: UInt64 = 1
        // A full counter (EAGAIN) has woken the poller already.
        _ = write(descriptor, &one, 8)
    }

    /// Takes note of all wake-ups so far.
    public func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
