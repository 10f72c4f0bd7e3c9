// One socket, with one owner. Receiving and sending never block; the poller waits.

import CZeroMQ
import Glibc

/// What became of a message.
public enum SendOutcome: Sendable, Equatable {
    /// The library has it.
    case sent
    /// The peer's queue is full, or there is no peer yet. Nothing was sent.
    case full
    /// A ROUTER knows no such peer (any more). Nothing was sent.
    case unroutable
}

/// A message of one or more frames, and what the connection says of its sender.
public struct ReceivedMessage: Sendable, Equatable {
    /// The frames; of those beyond the limit only the number is known.
    public var frames: [[UInt8]]
    /// Whether there were more frames than the limit.
    public var isTruncated: Bool
    /// The name of the key that the peer was authorised with.
    public var userID: String?
    /// The peer's socket type: REQ, DEALER ...
    public var peerSocketType: String?
    /// The peer's IP address; an IPv4 one in its own form.
    public var peerAddress: String?
    /// The connection that it came over, as `ConnectionMonitor` names it.
    public var descriptor: Int32?
}

/// A libzmq socket. Not Sendable: it belongs to the thread that uses it.
public final class ZeroMQSocket {
    public enum Kind: Sendable, Equatable {
        case router, dealer, request, reply, pair

        var rawValue: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .request: ZMQ_REQ
            case .reply: ZMQ_REP
            case .pair: ZMQ_PAIR
            }
        }
    }

    /// Frames that are kept of one message.
    public static let maximumFrames = 16

    public let kind: Kind
    let handle: UnsafeMutableRawPointer
    let context: ZeroMQContext
    /// Kept while the socket is open: without a handler libzmq would let every key in.
    let authenticator: Authenticator?

    /// - Parameter authenticator: Who may connect; a CURVE server cannot do without.
    public init(
        _ kind: Kind, in context: ZeroMQContext, options: SocketOptions = SocketOptions(),
        authenticator: Authenticator? = nil
    ) throws(ZeroMQError) {
        guard let handle = zmq_socket(context.handle, kind.rawValue) else {
            throw .last("socket")
        }
        self.kind = kind
        self.handle = handle
        self.context = context
        self.authenticator = authenticator
        try apply(options)
    }

    deinit {
        zmq_close(handle)
    }

    /// Binds to an endpoint, `tcp://127.0.0.1:*` for any free port.
    public func bind(to endpoint: String) throws(ZeroMQError) {
        try Self.checkPort(of: endpoint)
        guard zmq_bind(handle, endpoint) == 0 else { throw .last(endpoint) }
    }

    /// Connects to an endpoint, now or when it is there.
    public func connect(to endpoint: String) throws(ZeroMQError) {
        try Self.checkPort(of: endpoint)
        guard zmq_connect(handle, endpoint) == 0 else { throw .last(endpoint) }
    }

    /// The endpoint that the socket was last bound to, with its actual port.
    public func boundEndpoint() throws(ZeroMQError) -> String {
        var buffer = [CChar](repeating: 0, count: 1024)
        var size = buffer.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &buffer, &size) == 0 else {
            throw .last("bound endpoint")
        }
        let text = String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // A socket for both families names IPv4 addresses as IPv6 ones.
        return text.replacing(/\[::ffff:([0-9.]+)\]/) { String($0.1) }
    }

    /// Sends all frames as one message, or none of them.
    public func send(_ frames: [[UInt8]]) throws(ZeroMQError) -> SendOutcome {
        for (index, frame) in frames.enumerated() {
            let more = index + 1 < frames.count ? ZMQ_SNDMORE : 0
            while zmq_send(handle, frame, frame.count, ZMQ_DONTWAIT | more) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN where index == 0: return .full
                case EHOSTUNREACH: return .unroutable
                default: throw .last("send")
                }
            }
        }
        return .sent
    }

    /// The next message; nil if there is none at present.
    public func receive() throws(ZeroMQError) -> ReceivedMessage? {
        var message = ReceivedMessage(frames: [], isTruncated: false)
        var raw = zmq_msg_t()
        zmq_msg_init(&raw)
        defer { zmq_msg_close(&raw) }
        repeat {
            while zmq_msg_recv(&raw, handle, ZMQ_DONTWAIT) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN where message.frames.isEmpty: return nil
                default: throw .last("receive")
                }
            }
            if message.frames.count < Self.maximumFrames {
                let size = zmq_msg_size(&raw)
                message.frames.append(
                    Array(UnsafeRawBufferPointer(start: zmq_msg_data(&raw), count: size)))
            } else {
                message.isTruncated = true
            }
        } while zmq_msg_more(&raw) != 0
        message.userID = Self.property("User-Id", of: &raw) { String(cString: $0) }
        message.peerSocketType = Self.property("Socket-Type", of: &raw) { String(cString: $0) }
        message.peerAddress = Self.property("Peer-Address", of: &raw) { address in
            let isMapped = strncmp(address, "::ffff:", 7) == 0
            return String(cString: isMapped ? address + 7 : address)
        }
        message.descriptor = Self.property("__fd", of: &raw) { atoi($0) }
        return message
    }

    /// The library would take a port of 99999 for one of 34463.
    private static func checkPort(of endpoint: String) throws(ZeroMQError) {
        guard endpoint.hasPrefix("tcp://") else { return }
        let port = endpoint.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
        guard port == "*" || UInt16(port) != nil else {
            throw ZeroMQError(
                .invalidAddress, "“\(port)” is no port", location: endpoint,
                remedy: "use a number from 1 to 65535")
        }
    }

    /// What the connection says of a message's sender, unless it is empty. Values are looked at in
    /// place: this is done several times for every message.
    private static func property<Value>(
        _ name: String, of message: inout zmq_msg_t, _ read: (UnsafePointer<CChar>) -> Value
    ) -> Value? {
        guard let value = zmq_msg_gets(&message, name), value.pointee != 0 else { return nil }
        return read(value)
    }
}
