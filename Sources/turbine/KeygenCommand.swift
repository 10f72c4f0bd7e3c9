// `turbine keygen`: a pair of keys for a broker, a client, a worker or an operator.
import ArgumentParser
import Foundation
import ZeroMQSockets

struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Make a pair of CURVE keys.",
        discussion: """
            Writes NAME.key (public) and NAME.key_secret (mode 0600). A broker's own pair is \
            called “broker” and lies in its folder of keys; the public files of those it lets in \
            go into that folder's subfolder “authorized”. Existing files are never overwritten.
            """)

    @Argument(help: "The name of the pair: the user that lists show.")
    var name: String
    @Option(help: "client, worker or admin.")
    var role: String = KeyRole.client.rawValue
    @Option(help: "The folder to write to; it is made if its parent exists.")
    var out: String = "."
    @Option(help: "Jobs that the key may have waiting and running.")
    var queuedJobs: UInt64?
    @Option(help: "Pixels that the key may submit in an hour.")
    var pixelsPerHour: UInt64?

    func run() throws {
        guard let role = KeyRole(rawValue: role) else {
            throw ValidationError("“\(role)” is no role; use client, worker or admin.")
        }
        if !FileManager.default.fileExists(atPath: out) {
            try FileManager.default.createDirectory(
                atPath: out, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        }
        let pair = try CurveKeyPair.generate()
        let limits = KeyLimits(queuedJobs: queuedJobs, pixelsPerHour: pixelsPerHour)
        let file = KeyFile(
            role: role, limits: limits, publicKey: pair.publicKey, secretKey: pair.secretKey)
        try file.write(name: name, toFolder: out)
        print("\(out)/\(name).key \(out)/\(name).key_secret")
    }
}
