// How the options reach the library.

import CZeroMQ

extension ZeroMQSocket {
    /// The domain that authorisation requests name.
    static let authorizationDomain = "turbine"

    func apply(_ options: SocketOptions) throws(ZeroMQError) {
        try set(ZMQ_MAXMSGSIZE, options.maximumFrameBytes ?? -1, "maximum frame size")
        let numbers: [(Int32, Int32, String)] = [
            (ZMQ_SNDHWM, options.sendHighWaterMark, "send high-water mark"),
            (ZMQ_RCVHWM, options.receiveHighWaterMark, "receive high-water mark"),
            (ZMQ_LINGER, options.lingerMilliseconds, "linger"),
            (ZMQ_IMMEDIATE, options.sendsOnlyWhenConnected ? 1 : 0, "immediate"),
            (ZMQ_RECONNECT_IVL, options.reconnectMilliseconds, "reconnect interval"),
            (ZMQ_RECONNECT_IVL_MAX, options.maximumReconnectMilliseconds, "reconnect maximum"),
            (ZMQ_HEARTBEAT_IVL, options.heartbeatMilliseconds, "heartbeat interval"),
            (ZMQ_HEARTBEAT_TIMEOUT, options.heartbeatTimeoutMilliseconds, "heartbeat timeout"),
            (ZMQ_HEARTBEAT_TTL, options.heartbeatTimeoutMilliseconds, "heartbeat time to live"),
            (ZMQ_HANDSHAKE_IVL, options.handshakeMilliseconds, "handshake interval"),
            (ZMQ_BACKLOG, options.backlog, "backlog"),
            (ZMQ_IPV6, options.allowsIPv6 ? 1 : 0, "IPv6"),
        ]
        for (option, value, name) in numbers { try set(option, value, name) }
        if !options.routingID.isEmpty {
            try set(ZMQ_ROUTING_ID, bytes: options.routingID, "routing id")
        }
        if kind == .router {
            try set(ZMQ_ROUTER_MANDATORY, Int32(1), "mandatory routing")
            try set(
                ZMQ_ROUTER_HANDOVER, Int32(options.handsOverRoutingIDs ? 1 : 0), "handover")
        }
        try apply(options.security)
    }

    private func apply(_ security: SocketSecurity) throws(ZeroMQError) {
        guard security == .none || ZeroMQContext.hasCurve else {
            throw ZeroMQError(
                .unsupported, "libzmq was built without CURVE", location: "security",
                remedy: "install a libzmq with libsodium")
        }
        switch security {
        case .none:
            break
        case .curveServer(let secret):
            guard let authenticator, authenticator.socket.context === context else {
                throw ZeroMQError(
                    .invalidOption, "a CURVE server without an authenticator lets everyone in",
                    location: "security", remedy: "give it one of the same context")
            }
            try set(ZMQ_CURVE_SERVER, Int32(1), "CURVE server")
            try set(ZMQ_CURVE_SECRETKEY, bytes: secret.bytes, "secret key")
            try set(ZMQ_ZAP_DOMAIN, bytes: Array(Self.authorizationDomain.utf8), "domain")
        case .curveClient(let server, let own):
            try set(ZMQ_CURVE_SERVERKEY, bytes: server.bytes, "server key")
            try set(ZMQ_CURVE_PUBLICKEY, bytes: own.publicKey.bytes, "public key")
            try set(ZMQ_CURVE_SECRETKEY, bytes: own.secretKey.bytes, "secret key")
        }
    }

    private func set<Value: FixedWidthInteger>(
        _ option: Int32, _ value: Value, _ name: String
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw Self.refused(name, "\(value)")
        }
    }

    private func set(_ option: Int32, bytes: [UInt8], _ name: String) throws(ZeroMQError) {
        guard zmq_setsockopt(handle, option, bytes, bytes.count) == 0 else {
            throw Self.refused(name, "of \(bytes.count) bytes")
        }
    }

    private static func refused(_ name: String, _ value: String) -> ZeroMQError {
        ZeroMQError(
            .invalidOption, "the library refuses the value \(value)", location: name,
            remedy: "see zmq_setsockopt(3)", systemCode: zmq_errno())
    }
}
