// Where the status pages are served, and to whom.

/// The settings of a `StatusServer`, checked when they are made.
public struct StatusConfiguration: Equatable, Sendable {
    /// The address to bind, without brackets.
    public let host: String
    /// The port to bind; 0 lets the system choose.
    public let port: Int
    /// What a reader must present; nil lets everybody read who reaches the address.
    public let token: String?
    /// Whether prompts and thumbnails are shown, or only numbers.
    public var showsPrompts = true
    /// Host names besides the loopback ones under which readers without a token may ask.
    public var hostNames: [String] = []
    /// Bytes of a request's header that are read.
    public var headerBytes = 16 * 1024
    /// Connections served at once.
    public var connections = 256
    /// Seconds after which a connection that sends or gets nothing is closed.
    public var idleSeconds: Int64 = 30
    /// Seconds for which the loop may owe an answer before the broker does not count as ready, ...
    public var staleSeconds = 10.0
    /// ... and before it does not count as alive.
    public var stuckSeconds = 60.0

    /// Checks and keeps where to serve.
    /// - Parameters:
    ///   - address: `HOST:PORT`, `[IPv6]:PORT`, `:PORT` or `PORT`; the default host is 127.0.0.1.
    ///   - token: A bearer token, also taken as the password of HTTP's basic authentication.
    ///   - isInsecure: Whether an address that other machines reach may do without a token.
    /// - Throws: `StatusHTTPError` for an address or token that cannot be used.
    public init(address: String, token: String? = nil, isInsecure: Bool = false) throws {
        (host, port) = try Self.split(address)
        if let token {
            let isPrintable = token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
            guard isPrintable, (16...1024).contains(token.utf8.count) else {
                throw StatusHTTPError(
                    code: .invalidToken, what: "is not 16 to 1024 printable ASCII characters",
                    location: "token", remedy: "make one with `openssl rand -hex 32`")
            }
        }
        self.token = token
        guard token != nil || isInsecure || Self.isLoopback(host) else {
            throw StatusHTTPError(
                code: .openAddress, what: "\(address) can be reached from other machines",
                location: "address", remedy: "set a token, bind to 127.0.0.1, or allow it")
        }
    }

    /// The address for people and log lines.
    var display: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine reaches a host.
    static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
        return host.lowercased() == "localhost" || host == "::1" || (isIPv4 && parts[0] == "127")
    }

    /// Whether a request's `Host` is one that a browser uses on purpose.
    ///
    /// Without a token, a loopback address is protected by being loopback only. A hostile page
    /// in a browser on the same machine can make its own name resolve to 127.0.0.1 and read
    /// along; then the header holds that name.
    func accepts(hostHeader: String?) -> Bool {
        guard token == nil, Self.isLoopback(host), let header = hostHeader else { return true }
        guard let name = try? Self.split(header.contains(":") ? header : header + ":80").host
        else { return header.hasPrefix("[::1]") }
        return Self.isLoopback(name) || hostNames.contains { $0.lowercased() == name.lowercased() }
    }

    private static func split(_ address: String) throws -> (host: String, port: Int) {
        let invalid = StatusHTTPError(
            code: .invalidAddress, what: "\"\(address)\" is no HOST:PORT", location: "address",
            remedy: "write for example 127.0.0.1:8080")
        var host = ""
        var digits = Substring(address)
        if let colon = address.lastIndex(of: ":") {
            host = String(address[..<colon])
            digits = address[address.index(after: colon)...]
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        if isBracketed { host = String(host.dropFirst().dropLast()) }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits),
            (0...65_535).contains(port), host.contains(":") == isBracketed,
            !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "[" || $0 == "]" })
        else { throw invalid }
        return (host.isEmpty ? "127.0.0.1" : host, port)
    }
}
