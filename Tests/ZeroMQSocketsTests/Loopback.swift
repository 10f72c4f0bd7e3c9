// Sockets over real TCP on the loopback interface, and patience for what is under way.

import Foundation
import Testing

@testable import ZeroMQSockets

/// A ROUTER on a free port, and clients of it.
struct Loopback {
    let context: ZeroMQContext
    let router: RouterSocket
    let endpoint: String
    let authenticator: Authenticator?

    init(
        options: SocketOptions = SocketOptions(), keys: AuthorizedKeys? = nil
    ) throws {
        context = try ZeroMQContext()
        let context = context
        authenticator = try keys.map { try Authenticator(keys: $0, in: context) }
        router = try RouterSocket(in: context, options: options, authenticator: authenticator)
        try router.socket.bind(to: "tcp://127.0.0.1:*")
        endpoint = try router.socket.boundEndpoint()
    }

    func client(
        _ kind: ZeroMQSocket.Kind, options: SocketOptions = SocketOptions()
    ) throws -> ZeroMQSocket {
        var options = options
        options.lingerMilliseconds = 0
        let socket = try ZeroMQSocket(kind, in: context, options: options)
        try socket.connect(to: endpoint)
        return socket
    }

    /// The router's next message, with authorisation served meanwhile; nil if there is none.
    func receive(seconds: Double = 60) throws -> RoutedMessage? {
        try poll(router.socket, seconds: seconds) { try router.receive() }
    }

    /// A client's next message.
    func receive(at client: ZeroMQSocket, seconds: Double = 60) throws -> [[UInt8]]? {
        try poll(client, seconds: seconds) { try client.receive()?.frames }
    }

    private func poll<Value>(
        _ socket: ZeroMQSocket, seconds: Double, _ receive: () throws -> Value?
    ) throws -> Value? {
        var poller = Poller()
        _ = poller.add(socket)
        if let authenticator { _ = poller.add(authenticator.socket) }
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            _ = try poller.wait(milliseconds: 20)
            try authenticator?.answerRequests()
            if let value = try receive() { return value }
        }
        return nil
    }
}

func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

/// A folder that is there for the length of a test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "turbine-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left behind: \(path)")
        }
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }
}
