// A broker with CURVE, and keys with roles and limits for its peers.

import Foundation
import ZeroMQSockets

@testable import BrokerService

/// The server's keys and the folder of those who are let in.
struct KeyRing {
    let folder: String
    let server: CurveKeyPair

    init() throws {
        folder =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        server = try CurveKeyPair.generate()
    }

    /// A new key that the broker lets in, as its owner's sockets need it.
    func add(
        _ name: String, _ role: KeyRole, limits: KeyLimits = KeyLimits()
    ) throws -> SocketSecurity {
        let keys = try CurveKeyPair.generate()
        try KeyFile(role: role, limits: limits, publicKey: keys.publicKey)
            .write(name: name, toFolder: folder)
        return .curveClient(server: server.publicKey, own: keys)
    }

    /// A key that the broker does not know.
    func stranger() throws -> SocketSecurity {
        .curveClient(server: server.publicKey, own: try CurveKeyPair.generate())
    }

    func revoke(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(folder)/\(name).key")
    }

    /// A broker that lets in the keys of the ring.
    func bench(_ adjust: (inout BrokerConfiguration) -> Void = { _ in }) throws -> Bench {
        try Bench {
            $0.security = .curve(server.secretKey, authorizedKeys: folder)
            adjust(&$0)
        }
    }
}

/// Tries until there is an answer, for at most so long; nil if there was none.
func eventually<Value>(seconds: Double = 20, _ attempt: () throws -> Value?) rethrows -> Value? {
    let end = ContinuousClock.now + .seconds(seconds)
    repeat {
        if let value = try attempt() { return value }
        usleep(20_000)
    } while ContinuousClock.now < end
    return nil
}
