// The ZAP handler (https://rfc.zeromq.org/spec/27/): libzmq asks it about each new CURVE connection
// of its context. It has no thread of its own: the loop that owns it polls its socket beside the
// others, so that the keys need no lock.

/// Lets in the connections whose key is in the folder, and names their user.
public final class Authenticator {
    /// For the poller: when it is readable, call `answerRequests`.
    public let socket: ZeroMQSocket
    public private(set) var keys: AuthorizedKeys
    /// Connections let in and turned away.
    public private(set) var acceptedCount: UInt64 = 0
    public private(set) var refusedCount: UInt64 = 0

    private static let endpoint = "inproc://zeromq.zap.01"

    /// Takes over authorisation in the context; to be done before a CURVE server socket binds.
    public init(keys: AuthorizedKeys, in context: ZeroMQContext) throws(ZeroMQError) {
        self.keys = keys
        var options = SocketOptions()
        options.lingerMilliseconds = 0
        options.maximumFrameBytes = nil
        socket = try ZeroMQSocket(.reply, in: context, options: options)
        try socket.bind(to: Self.endpoint)
    }

    /// Reads the folder again if it changed; returns whether it did. To be called now and then,
    /// for keys that are withdrawn while their connections last.
    public func reloadIfChanged() throws(ZeroMQError) -> Bool {
        try keys.reloadIfChanged()
    }

    /// Answers all requests that wait. A folder that cannot be read refuses everyone.
    public func answerRequests() throws(ZeroMQError) {
        while let request = try socket.receive() {
            let isReadable = (try? keys.reloadIfChanged()) != nil
            let key = isReadable ? authorize(request.frames) : nil
            if key == nil { refusedCount += 1 } else { acceptedCount += 1 }
            _ = try socket.send(Self.reply(to: request.frames, key: key))
        }
    }

    /// Frames: version, request id, domain, address, routing id, mechanism, public key.
    private func authorize(_ frames: [[UInt8]]) -> AuthorizedKey? {
        guard frames.count == 7, frames[0] == Array("1.0".utf8),
            frames[2] == Array(ZeroMQSocket.authorizationDomain.utf8),
            frames[5] == Array("CURVE".utf8), let publicKey = CurvePublicKey(bytes: frames[6])
        else { return nil }
        return keys[publicKey]
    }

    /// Frames: version, request id, status, text, user id, metadata.
    private static func reply(to request: [[UInt8]], key: AuthorizedKey?) -> [[UInt8]] {
        [
            Array("1.0".utf8), request.count > 1 ? request[1] : [],
            Array((key == nil ? "400" : "200").utf8),
            Array((key == nil ? "The key is not authorised." : "OK").utf8),
            Array((key?.userID ?? "").utf8), [],
        ]
    }
}
