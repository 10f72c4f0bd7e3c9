// The broker's side of a connection. REQ sockets, DEALERs that write the empty delimiter frame,
// DEALERs that do not, and any of them behind proxies arrive in one form, and replies go back in
// the form that each expects (https://rfc.zeromq.org/spec/28/).

/// Where a message came from, and so where replies go.
public struct Route: Sendable, Hashable {
    /// The frames before the body: routing ids, and the empty delimiter if there was one.
    public let frames: [[UInt8]]

    /// The routing id of the connection.
    public var peer: [UInt8] { frames.first ?? [] }
    /// Whether an empty frame stood before the body.
    public var isDelimited: Bool { frames.count > 1 && frames.last == [] }
}

/// A message with its envelope taken off.
public struct RoutedMessage: Sendable, Equatable {
    public var route: Route
    /// The one frame of the message; nil if it had none or several.
    public var body: [UInt8]?
    /// The name of the key that the peer was authorised with; nil without CURVE.
    public var userID: String?
    /// REQ sockets take exactly one reply to a request.
    public var isFromRequestSocket: Bool
    /// The peer's IP address.
    public var peerAddress: String?
    /// The connection that it came over, as `ConnectionMonitor` names it.
    public var descriptor: Int32?
}

/// A ROUTER that refuses what it cannot deliver instead of dropping it.
public final class RouterSocket {
    /// For the poller and for binding.
    public let socket: ZeroMQSocket

    public init(
        in context: ZeroMQContext, options: SocketOptions = SocketOptions(),
        authenticator: Authenticator? = nil
    ) throws(ZeroMQError) {
        socket = try ZeroMQSocket(
            .router, in: context, options: options, authenticator: authenticator)
    }

    /// The next message; nil if there is none at present.
    public func receive() throws(ZeroMQError) -> RoutedMessage? {
        guard let message = try socket.receive() else { return nil }
        let frames = message.frames
        // The first frame is the routing id, which is never empty; the first empty frame after it
        // ends the envelope, unless it is the last frame: then it is an empty body.
        let delimiter = frames.dropLast().firstIndex(of: [])
        let bodyStart = (delimiter ?? 0) + 1
        let isWhole = frames.count == bodyStart + 1 && !message.isTruncated
        return RoutedMessage(
            route: Route(frames: Array(frames.prefix(bodyStart))),
            body: isWhole ? frames[bodyStart] : nil, userID: message.userID,
            isFromRequestSocket: message.peerSocketType == "REQ",
            peerAddress: message.peerAddress, descriptor: message.descriptor)
    }

    /// Sends one frame back along a route. The outcome is to be looked at: `full` is worth another
    /// try when the socket is writable, `unroutable` means that the peer is gone.
    public func send(_ body: [UInt8], to route: Route) throws(ZeroMQError) -> SendOutcome {
        try socket.send(route.frames + [body])
    }

    /// The same for a large frame, whose bytes count as `load` until the library has sent them.
    public func send(
        _ body: [UInt8], to route: Route, load: SendLoad
    ) throws(ZeroMQError) -> SendOutcome {
        try socket.send(route.frames, body: body, load: load)
    }
}
