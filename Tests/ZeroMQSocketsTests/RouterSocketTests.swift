// Every kind of client reaches the router in one form, and nothing is dropped unseen.

import Glibc
import Testing

@testable import ZeroMQSockets

@Suite struct RouterSocketTests {
    @Test func `a REQ socket gets its reply`() throws {
        let loopback = try Loopback()
        let client = try loopback.client(.request)
        #expect(try client.send([bytes("hello")]) == .sent)
        let message = try #require(try loopback.receive())
        #expect(message.body == bytes("hello"))
        #expect(message.route.isDelimited)
        #expect(message.isFromRequestSocket)
        #expect(message.userID == nil)
        #expect(message.peerAddress == "127.0.0.1")
        #expect(try loopback.router.send(bytes("world"), to: message.route) == .sent)
        #expect(try loopback.receive(at: client) == [bytes("world")])
    }

    @Test(arguments: [[], [""], ["proxy", "hop", ""]])
    func `a DEALER gets replies in its own form`(_ envelope: [String]) throws {
        let loopback = try Loopback()
        let client = try loopback.client(.dealer)
        let prefix = envelope.map(bytes)
        for number in 0..<3 {
            #expect(try client.send(prefix + [bytes("\(number)")]) == .sent)
        }
        for number in 0..<3 {
            let message = try #require(try loopback.receive())
            #expect(message.body == bytes("\(number)"))
            #expect(message.route.isDelimited == !envelope.isEmpty)
            #expect(!message.isFromRequestSocket)
            #expect(try loopback.router.send(bytes("reply"), to: message.route) == .sent)
            #expect(try loopback.receive(at: client) == prefix + [bytes("reply")])
        }
    }

    @Test(arguments: [["a", "b"], ["", "a", "b"], ["", "a", ""]])
    func `several frames are no message, but have a route`(_ frames: [String]) throws {
        let loopback = try Loopback()
        let client = try loopback.client(.dealer)
        #expect(try client.send(frames.map(bytes)) == .sent)
        let message = try #require(try loopback.receive())
        #expect(message.body == nil)
        #expect(try loopback.router.send(bytes("no"), to: message.route) == .sent)
        #expect(try loopback.receive(at: client)?.last == bytes("no"))
    }

    @Test func `an empty frame is an empty message`() throws {
        let loopback = try Loopback()
        let client = try loopback.client(.dealer)
        #expect(try client.send([[]]) == .sent)
        #expect(try loopback.receive()?.body == [])
    }

    @Test func `a flood of frames is truncated`() throws {
        let loopback = try Loopback()
        let client = try loopback.client(.dealer)
        let frames = [[UInt8]](repeating: [1], count: ZeroMQSocket.maximumFrames + 5)
        #expect(try client.send(frames) == .sent)
        let message = try #require(try loopback.receive())
        #expect(message.body == nil)
    }

    @Test func `an unknown peer is unroutable`() throws {
        let loopback = try Loopback()
        let route = Route(frames: [bytes("nobody")])
        #expect(try loopback.router.send(bytes("x"), to: route) == .unroutable)
    }

    @Test func `a peer that has gone is unroutable`() throws {
        let loopback = try Loopback()
        var client: ZeroMQSocket? = try loopback.client(.dealer)
        #expect(try client?.send([bytes("hello")]) == .sent)
        let route = try #require(try loopback.receive()).route
        client = nil
        var outcome = SendOutcome.sent
        let end = ContinuousClock.now + .seconds(60)
        while outcome != .unroutable, ContinuousClock.now < end {
            // The library learns of the end by receiving, as the broker's loop does; a sender
            // that never receives may find the dead connection's queue full for ever.
            #expect(try loopback.router.receive() == nil)
            outcome = try loopback.router.send(bytes("x"), to: route)
            usleep(1000)
        }
        #expect(outcome == .unroutable)
    }

    @Test func `a full queue is reported and what was sent arrives`() throws {
        var options = SocketOptions()
        options.sendHighWaterMark = 4
        let loopback = try Loopback(options: options)
        var clientOptions = SocketOptions()
        clientOptions.receiveHighWaterMark = 4
        let client = try loopback.client(.dealer, options: clientOptions)
        #expect(try client.send([bytes("hello")]) == .sent)
        let route = try #require(try loopback.receive()).route
        var sent = 0
        let frame = [UInt8](repeating: 1, count: 1 << 19)
        while sent < 1000, try loopback.router.send(frame, to: route) == .sent { sent += 1 }
        #expect(sent < 1000)
        for _ in 0..<sent { #expect(try loopback.receive(at: client)?.first?.count == 1 << 19) }
        #expect(try loopback.receive(at: client, seconds: 0.1) == nil)
    }

    @Test func `an oversized frame closes the connection`() throws {
        var options = SocketOptions()
        options.maximumFrameBytes = 1000
        let loopback = try Loopback(options: options)
        let client = try loopback.client(.dealer)
        let other = try loopback.client(.dealer)
        #expect(try client.send([[UInt8](repeating: 0, count: 1001)]) == .sent)
        #expect(try other.send([[UInt8](repeating: 1, count: 1000)]) == .sent)
        #expect(try loopback.receive()?.body?.first == 1)
        #expect(try loopback.receive(seconds: 0.3) == nil)
        // The client connects again by itself; until then the library may drop what it sends.
        let end = ContinuousClock.now + .seconds(60)
        var arrived: RoutedMessage?
        while arrived == nil, ContinuousClock.now < end {
            _ = try client.send([[2]])
            arrived = try loopback.receive(seconds: 0.2)
        }
        #expect(arrived?.body == [2])
    }

    @Test func `IPv6 works where the host has it`() throws {
        let context = try ZeroMQContext()
        let router = try RouterSocket(in: context)
        do {
            try router.socket.bind(to: "tcp://[::1]:*")
        } catch {
            #expect(error.code == .addressNotAvailable || error.code == .invalidAddress)
            return
        }
        #expect(try router.socket.boundEndpoint().hasPrefix("tcp://[::1]:"))
    }

    @Test func `bad addresses are errors`() throws {
        let loopback = try Loopback()
        let socket = try ZeroMQSocket(.router, in: loopback.context)
        func code(_ endpoint: String) -> ZeroMQError.Code? {
            #expect(throws: ZeroMQError.self) { try socket.bind(to: endpoint) }?.code
        }
        #expect(code("nonsense") == .invalidAddress)
        #expect(code("tcp://127.0.0.1:99999") == .invalidAddress)
        #expect(code(loopback.endpoint) == .addressInUse)
        #expect(code("tcp://203.0.113.1:5555") == .addressNotAvailable)
    }
}
