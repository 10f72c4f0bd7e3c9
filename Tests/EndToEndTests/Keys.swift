// Folders of keys for a broker and those that it lets in.
import Foundation
import TestSupport

/// `broker` for the broker, and a folder each for a worker, a client, an admin and a stranger, whom
/// the broker does not know; made with `turbine keygen`.
final class Keys {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try Self.generate("broker", role: "admin", into: folder.file("broker"))
        try FileManager.default.createDirectory(
            atPath: folder.file("broker/authorized"), withIntermediateDirectories: false)
        for role in ["worker", "client", "admin"] {
            try Self.generate(role, role: role, into: folder.file(role))
            try folder.copy("\(role)/\(role).key", to: "broker/authorized/\(role).key")
        }
        try Self.generate("stranger", role: "client", into: folder.file("stranger"))
        for name in ["worker", "client", "admin", "stranger"] {
            try folder.copy("broker/broker.key", to: "\(name)/broker.key")
        }
    }

    func path(_ name: String) -> String { folder.file(name) }

    private static func generate(_ name: String, role: String, into folder: String) throws {
        let outcome = try Turbine.run(["keygen", name, "--role", role, "--out", folder])
        guard outcome.succeeded else { throw Impatience(description: outcome.errors) }
    }
}

extension TemporaryFolder {
    /// Copies a file within the folder, its permissions included.
    func copy(_ name: String, to other: String) throws {
        try FileManager.default.copyItem(atPath: file(name), toPath: file(other))
    }
}
