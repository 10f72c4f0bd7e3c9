// What the two threads of a worker exchange. Neither ever waits for the other's work: the compute
// thread waits only for orders, the I/O thread only in its poller.

import Dispatch
import Synchronization
import WireProtocol
import ZeroMQSockets

/// What the compute thread tells the I/O thread.
enum ComputeEvent: Sendable, Equatable {
    case loaded(WorkerCapabilities)
    case warmedUp(seconds: Double, secondsAStep: Double?)
    /// The model cannot be used; nothing follows.
    case unusable(WorkerError)
    case stage(LeaseReference, JobStage, imageIndex: Int)
    case step(LeaseReference, WorkStep)
    case image(LeaseReference, GeneratedImage, isLast: Bool)
    case finished(LeaseReference, WorkSummary)
    case failed(LeaseReference, ServiceError)
    case stopped(LeaseReference)
}

/// The mailbox between both threads.
final class ComputeMailbox: Sendable {
    private struct State {
        var orders: [WorkOrder] = []
        var events: [ComputeEvent] = []
        var cancelled: LeaseReference?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let arrival = DispatchSemaphore(value: 0)
    private let waker: Waker

    /// - Parameter waker: ends the I/O thread's wait when there are events.
    init(waker: Waker) {
        self.waker = waker
    }

    // The I/O thread's side.

    func order(_ work: WorkOrder) {
        state.withLock { state in
            if state.cancelled == work.lease { state.cancelled = nil }
            state.orders.append(work)
        }
        arrival.signal()
    }

    /// The lease's work is to stop within a block; it need not have begun.
    func cancel(_ lease: LeaseReference) {
        state.withLock { $0.cancelled = lease }
    }

    /// The compute thread ends after what it is at, which is stopped.
    func close() {
        state.withLock { $0.isClosed = true }
        arrival.signal()
    }

    /// All events since the last call.
    func takeEvents() -> [ComputeEvent] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    // The compute thread's side.

    /// The next order; nil when there will be none.
    func waitForOrder() -> WorkOrder? {
        while true {
            arrival.wait()
            let (order, isClosed) = state.withLock { state in
                (state.orders.isEmpty ? nil : state.orders.removeFirst(), state.isClosed)
            }
            if isClosed { return nil }
            if let order { return order }
        }
    }

    func isCancelled(_ lease: LeaseReference) -> Bool {
        state.withLock { $0.isClosed || $0.cancelled == lease }
    }

    func report(_ event: ComputeEvent) {
        state.withLock { $0.events.append(event) }
        waker.wake()
    }
}
