// Which connections of a socket have ended: a ROUTER does not tell by itself
// (zmq_socket_monitor(3)).

import CZeroMQ

/// What became of a connection, named by its file descriptor.
///
/// Descriptors are used again; the events of one come in order.
public enum ConnectionEvent: Sendable, Equatable {
    /// A peer has connected to a bound socket.
    case accepted(Int32)
    /// The connection is gone.
    case closed(Int32)
}

/// Watches one socket; owned by the thread that owns that socket. It has to be read regularly.
public final class ConnectionMonitor {
    /// For the poller.
    public let socket: ZeroMQSocket

    /// Watches `target`; `name` is unique within the context.
    public init(_ target: ZeroMQSocket, name: String) throws(ZeroMQError) {
        let endpoint = "inproc://monitor-\(name)"
        guard
            zmq_socket_monitor(
                target.handle, endpoint, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) == 0
        else { throw .last(endpoint) }
        var options = SocketOptions()
        options.lingerMilliseconds = 0
        options.receiveHighWaterMark = 0
        socket = try ZeroMQSocket(.pair, in: target.context, options: options)
        try socket.connect(to: endpoint)
    }

    /// The next event; nil if there is none at present.
    public func next() throws(ZeroMQError) -> ConnectionEvent? {
        while let message = try socket.receive() {
            guard let frame = message.frames.first, frame.count == 6 else { continue }
            let (event, value) = frame.withUnsafeBytes {
                (
                    Int32($0.loadUnaligned(as: UInt16.self)),
                    $0.loadUnaligned(fromByteOffset: 2, as: Int32.self)
                )
            }
            switch event {
            case ZMQ_EVENT_ACCEPTED: return .accepted(value)
            case ZMQ_EVENT_DISCONNECTED: return .closed(value)
            default: continue
            }
        }
        return nil
    }
}
