// The options that a socket is created with; all of them are set before it binds or connects.

/// How a connection is secured.
public enum SocketSecurity: Sendable, Equatable {
    /// Plain text: for loopback, or a network that is trusted.
    case none
    /// The CURVE server side, for a socket that is created with an `Authenticator`.
    case curveServer(CurveSecretKey)
    /// The CURVE client side: the server's public key, and this client's own keys.
    case curveClient(server: CurvePublicKey, own: CurveKeyPair)
}

/// Options of one socket. Times are milliseconds.
public struct SocketOptions: Sendable, Equatable {
    public var security: SocketSecurity = .none
    /// A longer frame closes the connection before memory is taken for it; nil: no limit.
    public var maximumFrameBytes: Int64? = 1 << 20
    /// Messages queued for one peer before sends are refused.
    public var sendHighWaterMark: Int32 = 1000
    /// Messages queued from one peer before TCP makes it wait.
    public var receiveHighWaterMark: Int32 = 1000
    /// How long closing waits for messages that are still to be sent.
    public var lingerMilliseconds: Int32 = 1000
    /// Sends only to completed connections; otherwise messages queue for a peer that may not be.
    public var sendsOnlyWhenConnected = false
    /// The first wait before connecting again ...
    public var reconnectMilliseconds: Int32 = 100
    /// ... which doubles up to this.
    public var maximumReconnectMilliseconds: Int32 = 5000
    /// ZMTP pings; 0: none.
    public var heartbeatMilliseconds: Int32 = 5000
    /// A connection without a sign of life for this long is closed.
    public var heartbeatTimeoutMilliseconds: Int32 = 15000
    /// A handshake that takes longer is given up.
    public var handshakeMilliseconds: Int32 = 10000
    /// Connections that wait to be accepted.
    public var backlog: Int32 = 1024
    /// IPv6 addresses are understood, too.
    public var allowsIPv6 = true
    /// The name that a ROUTER peer sees; empty: it makes one up. At most 255 bytes.
    public var routingID: [UInt8] = []
    /// A ROUTER gives a routing id that is in use to the newcomer. Leave it off where peers are
    /// not trusted: they choose their ids.
    public var handsOverRoutingIDs = false

    public init() {}
}
