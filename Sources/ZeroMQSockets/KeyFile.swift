// Key files, in the certificate format that CZMQ and pyzmq read and write: a `metadata` section
// with name, role and limits, and a `curve` section with the keys. `NAME.key` holds the public key,
// `NAME.key_secret` both; the latter is readable by its owner only.

import Foundation

/// What the owner of a key may do.
public enum KeyRole: String, Sendable, CaseIterable {
    case client, worker, admin
}

/// What one key may use. Nil: as much as the server has.
public struct KeyLimits: Sendable, Equatable {
    public var queuedJobs: UInt64?
    public var pixelsPerHour: UInt64?

    public init(queuedJobs: UInt64? = nil, pixelsPerHour: UInt64? = nil) {
        self.queuedJobs = queuedJobs
        self.pixelsPerHour = pixelsPerHour
    }
}

/// The contents of a key file.
public struct KeyFile: Sendable, Equatable {
    public var role: KeyRole
    public var limits: KeyLimits
    public var publicKey: CurvePublicKey
    /// Absent in a public file.
    public var secretKey: CurveSecretKey?

    /// Larger files are refused unread.
    static let maximumBytes = 16384

    public init(
        role: KeyRole, limits: KeyLimits = KeyLimits(), publicKey: CurvePublicKey,
        secretKey: CurveSecretKey? = nil
    ) {
        self.role = role
        self.limits = limits
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Reads a file. One with a secret key must not be open to others.
    public init(path: String) throws(ZeroMQError) {
        let (text, isOpen) = try Self.read(path)
        try self.init(text: text, path: path)
        if secretKey != nil, isOpen {
            throw Self.fault(path, "others may read the secret key", "chmod 600 it")
        }
    }

    /// Reads a file's text; `path` is for messages.
    init(text: String, path: String) throws(ZeroMQError) {
        var values: [String: String] = [:]
        var section = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let content = line.trimmingCharacters(in: .whitespaces)
            if content.isEmpty || content.hasPrefix("#") { continue }
            guard let equals = content.firstIndex(of: "=") else {
                section = content
                continue
            }
            let key = content[..<equals].trimmingCharacters(in: .whitespaces)
            var value = content[content.index(after: equals)...]
                .trimmingCharacters(in: .whitespaces)
            guard value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else {
                throw Self.fault(path, "line \(index + 1) has no quoted value", "quote it")
            }
            value = String(value.dropFirst().dropLast())
            guard values.updateValue(value, forKey: "\(section)/\(key)") == nil else {
                throw Self.fault(path, "line \(index + 1) gives \(key) twice", "keep one")
            }
        }
        try self.init(values: values, path: path)
    }

    private init(values: [String: String], path: String) throws(ZeroMQError) {
        guard let publicText = values["curve/public-key"] else {
            throw Self.fault(path, "it has no public-key", "add it to the curve section")
        }
        let roleText = values["metadata/role"] ?? KeyRole.client.rawValue
        guard let role = KeyRole(rawValue: roleText) else {
            throw Self.fault(path, "“\(roleText)” is no role", "use client, worker or admin")
        }
        func limit(_ name: String) throws(ZeroMQError) -> UInt64? {
            guard let text = values["metadata/\(name)"] else { return nil }
            guard let number = UInt64(text) else {
                throw Self.fault(path, "\(name) is no whole number", "write digits only")
            }
            return number
        }
        do {
            self.init(
                role: role,
                limits: KeyLimits(
                    queuedJobs: try limit("queued-jobs"),
                    pixelsPerHour: try limit("pixels-per-hour")),
                publicKey: try CurvePublicKey(z85: publicText),
                secretKey: try values["curve/secret-key"].map { (z85) throws(ZeroMQError) in
                    try CurveSecretKey(z85: z85)
                })
        } catch {
            throw error.code == .invalidKey ? Self.fault(path, error.what, error.remedy) : error
        }
    }

    /// The keys for a socket, if the file has both.
    public func keyPair() throws(ZeroMQError) -> CurveKeyPair? {
        guard let secretKey else { return nil }
        return try CurveKeyPair(secretKey: secretKey)
    }

    /// Writes `NAME.key` and, if there is a secret key, `NAME.key_secret` (mode 0600) into a
    /// folder. Existing files are never overwritten.
    public func write(name: String, toFolder folder: String) throws(ZeroMQError) {
        guard KeyFile.isUsable(name: name) else {
            throw Self.fault(name, "it is no name for a key", "use letters, digits, . _ - or @")
        }
        if let secretKey {
            try Self.create(
                "\(folder)/\(name).key_secret",
                text(name: name) + "    secret-key = \"\(secretKey.z85)\"\n", mode: 0o600)
        }
        try Self.create("\(folder)/\(name).key", text(name: name), mode: 0o644)
    }

    /// Whether the name can stand for a key: it is a file name, and what messages show.
    static func isUsable(name: String) -> Bool {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@".utf8)
        return (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy(allowed.contains)
    }

    private func text(name: String) -> String {
        var lines = ["metadata", "    name = \"\(name)\"", "    role = \"\(role.rawValue)\""]
        if let jobs = limits.queuedJobs { lines.append("    queued-jobs = \"\(jobs)\"") }
        if let pixels = limits.pixelsPerHour { lines.append("    pixels-per-hour = \"\(pixels)\"") }
        lines += ["curve", "    public-key = \"\(publicKey.z85)\""]
        return lines.joined(separator: "\n") + "\n"
    }
}
