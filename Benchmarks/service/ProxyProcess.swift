// The measure of the broker's overhead: libzmq's own proxy, and a worker behind it that echoes.

import ArgumentParser
import CZeroMQ
import Foundation
import Synchronization
import ZeroMQSockets

struct ProxyProcess: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-proxy", shouldDisplay: false)

    func run() throws {
        let ready = DispatchSemaphore(value: 0)
        let endpoints = Endpoints()
        ChildProcess.inBackground {
            // The library's own sockets: its proxy takes handles, which the wrapper does not give.
            let context = zmq_ctx_new()
            let front = zmq_socket(context, ZMQ_ROUTER)
            let back = zmq_socket(context, ZMQ_DEALER)
            for (index, socket) in [front, back].enumerated() {
                guard zmq_bind(socket, "tcp://127.0.0.1:*") == 0 else {
                    throw BenchmarkFailure("no free port can be bound")
                }
                endpoints.set(index, Self.endpoint(of: socket))
            }
            ready.signal()
            zmq_proxy(front, back, nil)
        }
        ready.wait()
        ChildProcess.serve(endpoints.text)
    }

    private static func endpoint(of socket: UnsafeMutableRawPointer?) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        var size = buffer.count
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &buffer, &size)
        return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// What the proxy's thread tells the main one.
    private final class Endpoints: Sendable {
        private let texts = Mutex(["", ""])

        func set(_ index: Int, _ text: String) { texts.withLock { $0[index] = text } }
        var text: String { texts.withLock { $0.joined(separator: " ") } }
    }
}

struct EchoProcess: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve-echo", shouldDisplay: false)

    @Option var proxy: String

    func run() throws {
        let endpoint = proxy
        ChildProcess.inBackground { try Self.echo(endpoint) }
        ChildProcess.serve("echo")
    }

    private static func echo(_ endpoint: String) throws {
        let socket = try ZeroMQSocket(.dealer, in: try ZeroMQContext())
        try socket.connect(to: endpoint)
        var poller = Poller()
        _ = poller.add(socket)
        while true {
            _ = try poller.wait(milliseconds: nil)
            while let message = try socket.receive() {
                guard try socket.send(message.frames) == .sent else {
                    throw BenchmarkFailure("the library took no message")
                }
            }
        }
    }
}
