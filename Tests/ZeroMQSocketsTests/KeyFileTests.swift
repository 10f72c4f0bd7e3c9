// Key files are written for their owner only, and read with suspicion.

import Foundation
import Testing

@testable import ZeroMQSockets

@Suite struct KeyFileTests {
    @Test func `keys survive their files`() throws {
        let folder = try TemporaryFolder()
        let keys = try CurveKeyPair.generate()
        let file = KeyFile(
            role: .admin, limits: KeyLimits(queuedJobs: 5, pixelsPerHour: 1 << 30),
            publicKey: keys.publicKey, secretKey: keys.secretKey)
        try file.write(name: "me", toFolder: folder.path)
        let secret = try KeyFile(path: folder.path + "/me.key_secret")
        #expect(secret == file)
        #expect(try secret.keyPair() == keys)
        let open = try KeyFile(path: folder.path + "/me.key")
        #expect(open.secretKey == nil)
        #expect(open.publicKey == keys.publicKey)
        #expect(open.role == .admin)
    }

    @Test func `secrets are for their owner only`() throws {
        let folder = try TemporaryFolder()
        let keys = try CurveKeyPair.generate()
        try KeyFile(role: .client, publicKey: keys.publicKey, secretKey: keys.secretKey)
            .write(name: "me", toFolder: folder.path)
        let path = folder.path + "/me.key_secret"
        var attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        attributes = [.posixPermissions: 0o640]
        try FileManager.default.setAttributes(attributes, ofItemAtPath: path)
        let error = #expect(throws: ZeroMQError.self) { try KeyFile(path: path) }
        #expect(error?.remedy.contains("600") == true)
    }

    @Test(arguments: [
        (0o600, 1, false), (0o400, 1, false), (0o640, 1, true), (0o604, 1, true),
        (0o440, 0, false), (0o640, 0, false), (0o444, 0, true), (0o460, 0, true),
    ])
    func `a mounted secret may be read through its group`(mode: Int, owner: Int, isOpen: Bool) {
        #expect(
            KeyFile.isOpen(mode: mode_t(mode), owner: uid_t(owner), user: 1) == isOpen)
    }

    @Test func `existing keys are not overwritten`() throws {
        let folder = try TemporaryFolder()
        let file = KeyFile(role: .client, publicKey: try CurveKeyPair.generate().publicKey)
        try file.write(name: "me", toFolder: folder.path)
        #expect(throws: ZeroMQError.self) { try file.write(name: "me", toFolder: folder.path) }
        #expect(throws: ZeroMQError.self) { try file.write(name: "../me", toFolder: folder.path) }
    }

    @Test func `secrets are not printed`() throws {
        let keys = try CurveKeyPair.generate()
        for text in [
            "\(keys)", String(reflecting: keys), "\(SocketSecurity.curveServer(keys.secretKey))",
        ] {
            #expect(!text.contains(keys.secretKey.z85))
        }
        var dumped = ""
        dump(keys, to: &dumped)
        // One list of bytes: the public key's.
        #expect(dumped.components(separatedBy: "elements").count == 2, "\(dumped)")
        dumped = ""
        dump(keys.secretKey, to: &dumped)
        #expect(!dumped.contains("elements"), "\(dumped)")
    }

    @Test func `files of pyzmq are read`() throws {
        let text = """
            #   ****  Generated on 2024-01-01 by pyzmq  ****
            #   ZeroMQ CURVE Public Certificate

            metadata
            curve
                public-key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
            """
        let file = try KeyFile(text: text, path: "client.key")
        #expect(file.role == .client)
        #expect(file.publicKey.z85 == "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
    }

    private static let curve = "curve\n  public-key = \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\""

    @Test(arguments: [
        "", "curve\n  public-key = \"short\"", "curve\n  public-key = unquoted",
        "curve\n  public-key = \"\u{e9}q:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf\"",
        "metadata\n  role = \"king\"\n" + curve,
        "metadata\n  queued-jobs = \"-1\"\n" + curve,
    ]) func `bad files are refused`(_ text: String) {
        let error = #expect(throws: ZeroMQError.self) { try KeyFile(text: text, path: "bad.key") }
        #expect(error?.location == "bad.key")
        #expect(error?.code == .invalidFile)
    }

    @Test func `what is no key file is refused unread`() throws {
        let folder = try TemporaryFolder()
        try folder.write("large.key", String(repeating: "#", count: KeyFile.maximumBytes + 1))
        for path in [
            folder.path, folder.path + "/none.key", folder.path + "/large.key", "/dev/zero",
        ] {
            #expect(throws: ZeroMQError.self) { try KeyFile(path: path) }
        }
    }

    @Test func `one bad file does not lock the others out`() throws {
        let folder = try TemporaryFolder()
        let keys = try CurveKeyPair.generate()
        let file = KeyFile(role: .client, publicKey: keys.publicKey)
        try file.write(name: "alice", toFolder: folder.path)
        try file.write(name: "twin", toFolder: folder.path)
        try folder.write("bad.key", "nonsense")
        let authorized = try AuthorizedKeys(folder: folder.path)
        #expect(authorized.count == 1)
        #expect(authorized[keys.publicKey]?.userID == "alice")
        #expect(authorized.problems.count == 2)
    }

    @Test func `a folder that is gone authorises nobody`() throws {
        var folder: TemporaryFolder? = try TemporaryFolder()
        let path = try #require(folder?.path)
        let keys = try CurveKeyPair.generate()
        try KeyFile(role: .client, publicKey: keys.publicKey).write(name: "alice", toFolder: path)
        var authorized = try AuthorizedKeys(folder: path)
        #expect(authorized.count == 1)
        folder = nil
        #expect(throws: ZeroMQError.self) { try authorized.reloadIfChanged() }
        #expect(authorized.count == 0)
        #expect(throws: ZeroMQError.self) { try AuthorizedKeys(folder: path) }
    }
}
