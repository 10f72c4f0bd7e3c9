// The folder of public keys that a server lets in. It is read again when it changes, so that a key
// is added or withdrawn by adding or removing a file.

import Foundation

/// One authorised key. `userID` is its file's name without `.key`.
public struct AuthorizedKey: Sendable, Equatable {
    public let userID: String
    public let role: KeyRole
    public let limits: KeyLimits
    public let publicKey: CurvePublicKey
}

/// The keys of a folder.
public struct AuthorizedKeys {
    /// What identifies a file's contents without reading it.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    public let folder: String
    /// Files that were passed over, and why; their keys are not authorised.
    public private(set) var problems: [ZeroMQError] = []
    private var byUserID: [String: AuthorizedKey] = [:]
    private var byPublicKey: [CurvePublicKey: AuthorizedKey] = [:]
    private var stamps: [String: Stamp] = [:]

    /// Reads all `*.key` files of the folder.
    public init(folder: String) throws(ZeroMQError) {
        self.folder = folder
        try load(try Self.stamps(of: folder))
    }

    public var count: Int { byUserID.count }

    /// The key with this public key, if it is authorised.
    public subscript(publicKey: CurvePublicKey) -> AuthorizedKey? { byPublicKey[publicKey] }

    /// The key of this name, if it is (still) authorised: to be asked for each message, since a
    /// connection outlives the withdrawal of its key.
    public subscript(userID userID: String) -> AuthorizedKey? { byUserID[userID] }

    /// Reads the folder again if a file came, went or changed; returns whether it did.
    ///
    /// A folder that cannot be read throws and authorises nobody until it can be.
    public mutating func reloadIfChanged() throws(ZeroMQError) -> Bool {
        do {
            let current = try Self.stamps(of: folder)
            guard current != stamps else { return false }
            try load(current)
            return true
        } catch {
            (byUserID, byPublicKey, stamps) = ([:], [:], [:])
            throw error
        }
    }

    private mutating func load(_ current: [String: Stamp]) throws(ZeroMQError) {
        (byUserID, byPublicKey, problems) = ([:], [:], [])
        stamps = current
        for name in current.keys.sorted() {
            let path = "\(folder)/\(name)"
            do {
                try insert(KeyFile(path: path), userID: String(name.dropLast(4)), path: path)
            } catch {
                problems.append(error)
            }
        }
    }

    private mutating func insert(
        _ file: KeyFile, userID: String, path: String
    ) throws(ZeroMQError) {
        guard KeyFile.isUsable(name: userID) else {
            throw KeyFile.fault(path, "its name is no user id", "use letters, digits, . _ - or @")
        }
        guard file.secretKey == nil else {
            throw KeyFile.fault(path, "it holds a secret key", "put the public file here")
        }
        if let other = byPublicKey[file.publicKey] {
            throw KeyFile.fault(path, "its key is that of \(other.userID)", "remove one of them")
        }
        let key = AuthorizedKey(
            userID: userID, role: file.role, limits: file.limits, publicKey: file.publicKey)
        byUserID[userID] = key
        byPublicKey[file.publicKey] = key
    }

    private static func stamps(of folder: String) throws(ZeroMQError) -> [String: Stamp] {
        guard let directory = opendir(folder) else {
            throw KeyFile.fault(folder, String(cString: strerror(errno)), "create the folder")
        }
        defer { closedir(directory) }
        var stamps: [String: Stamp] = [:]
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".key"), !name.hasPrefix(".") else { continue }
            var status = stat()
            guard stat("\(folder)/\(name)", &status) == 0 else { continue }
            stamps[name] = Stamp(
                inode: UInt64(status.st_ino), size: Int64(status.st_size),
                seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        }
        return stamps
    }
}
