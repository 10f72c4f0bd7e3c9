// Only keys of the folder get in, the application learns whose they are, and the folder may change.

import Testing

@testable import ZeroMQSockets

@Suite struct CurveTests {
    private let folder: TemporaryFolder
    private let server: CurveKeyPair
    private let alice: CurveKeyPair

    init() throws {
        folder = try TemporaryFolder()
        server = try CurveKeyPair.generate()
        alice = try CurveKeyPair.generate()
        try KeyFile(
            role: .client, limits: KeyLimits(queuedJobs: 10), publicKey: alice.publicKey
        ).write(name: "alice", toFolder: folder.path)
    }

    private func loopback() throws -> Loopback {
        var options = SocketOptions()
        options.security = .curveServer(server.secretKey)
        return try Loopback(options: options, keys: AuthorizedKeys(folder: folder.path))
    }

    private func options(_ keys: CurveKeyPair) -> SocketOptions {
        var options = SocketOptions()
        options.security = .curveClient(server: server.publicKey, own: keys)
        return options
    }

    @Test func `a known key gets in under its name`() throws {
        let loopback = try loopback()
        let client = try loopback.client(.request, options: options(alice))
        #expect(try client.send([bytes("hello")]) == .sent)
        let message = try #require(try loopback.receive())
        #expect(message.body == bytes("hello"))
        #expect(message.isFromRequestSocket)
        let userID = try #require(message.userID)
        let key = loopback.authenticator?.keys[userID: userID]
        #expect(key?.role == .client)
        #expect(key?.limits == KeyLimits(queuedJobs: 10))
        #expect(try loopback.router.send(bytes("world"), to: message.route) == .sent)
        #expect(try loopback.receive(at: client) == [bytes("world")])
    }

    @Test func `an unknown key does not get in`() throws {
        let loopback = try loopback()
        let stranger = try loopback.client(.dealer, options: options(.generate()))
        #expect(try stranger.send([bytes("hello")]) == .sent)
        #expect(try loopback.receive(seconds: 0.5) == nil)
        #expect(try #require(loopback.authenticator).refusedCount > 0)
    }

    @Test func `no keys and wrong server keys do not get in`() throws {
        let loopback = try loopback()
        let plain = try loopback.client(.dealer)
        var misled = SocketOptions()
        misled.security = .curveClient(server: try CurveKeyPair.generate().publicKey, own: alice)
        let mistaken = try loopback.client(.dealer, options: misled)
        _ = try plain.send([bytes("hello")])
        _ = try mistaken.send([bytes("hello")])
        #expect(try loopback.receive(seconds: 0.5) == nil)
        #expect(loopback.authenticator?.acceptedCount == 0)
    }

    @Test func `keys come and go with their files`() throws {
        let loopback = try loopback()
        let bob = try CurveKeyPair.generate()
        try KeyFile(role: .worker, publicKey: bob.publicKey)
            .write(name: "bob", toFolder: folder.path)
        let client = try loopback.client(.dealer, options: options(bob))
        #expect(try client.send([bytes("hello")]) == .sent)
        #expect(try loopback.receive()?.userID == "bob")
        let authenticator = try #require(loopback.authenticator)
        #expect(authenticator.keys[userID: "bob"]?.role == .worker)
        try folder.remove("bob.key")
        #expect(try authenticator.reloadIfChanged())
        #expect(authenticator.keys[userID: "bob"] == nil)
        #expect(try !authenticator.reloadIfChanged())
    }

    @Test func `a server without an authenticator is refused`() throws {
        var options = SocketOptions()
        options.security = .curveServer(server.secretKey)
        #expect(throws: ZeroMQError.self) { try Loopback(options: options) }
    }
}
