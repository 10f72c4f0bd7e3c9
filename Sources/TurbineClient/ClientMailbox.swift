// What callers and the client's thread exchange.

import Synchronization
import WireProtocol
import ZeroMQSockets

/// What the thread tells about a request.
enum ClientEvent: Sendable {
    case reply(ServerMessage.Reply)
    /// Nothing follows; nil: all was said.
    case end(ClientError?)
}

/// What callers want of the thread.
enum ClientOrder: Sendable {
    case submit(
        UInt64, ClientMessage.Request, endsAtFirstReply: Bool,
        handler: @Sendable (ClientEvent) -> Void)
    /// The caller no longer listens; the message, if any, is sent in its place.
    case forget(UInt64, instead: ClientMessage.Request?)
}

/// Orders from any thread to the client's.
final class ClientMailbox: Sendable {
    private struct State {
        var orders: [ClientOrder] = []
        var lastNumber: UInt64 = 0
        var isClosed = false
        /// Why no more orders are taken.
        var ending: ClientError?
    }

    private let state = Mutex(State())
    let waker: Waker

    init() throws {
        waker = try Waker()
    }

    /// Returns the request's number, which is its correlation on the wire.
    func submit(
        _ request: ClientMessage.Request, endsAtFirstReply: Bool,
        handler: @escaping @Sendable (ClientEvent) -> Void
    ) -> UInt64 {
        let (number, ending) = state.withLock { state in
            state.lastNumber += 1
            if state.ending == nil {
                state.orders.append(
                    .submit(
                        state.lastNumber, request, endsAtFirstReply: endsAtFirstReply,
                        handler: handler))
            }
            return (state.lastNumber, state.ending)
        }
        if let ending { handler(.end(ending)) } else { waker.wake() }
        return number
    }

    func forget(_ number: UInt64, instead: ClientMessage.Request?) {
        state.withLock { $0.orders.append(.forget(number, instead: instead)) }
        waker.wake()
    }

    func close() {
        state.withLock { $0.isClosed = true }
        waker.wake()
    }

    /// A number for a message of the thread's own.
    func nextNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    func take() -> (orders: [ClientOrder], isClosed: Bool) {
        state.withLock { state in
            defer { state.orders = [] }
            return (state.orders, state.isClosed)
        }
    }

    /// Refuses what is still to come, and what came too late to be looked at.
    func endAll(_ error: ClientError) {
        let orders = state.withLock { state in
            state.ending = error
            defer { state.orders = [] }
            return state.orders
        }
        for case .submit(_, _, _, let handler) in orders { handler(.end(error)) }
    }
}
