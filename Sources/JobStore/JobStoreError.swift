// What can go wrong with the store: the one error type of this target.

import GRDB

/// A fault of the store, with what an operator can do about it.
public struct JobStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed list of faults.
    public enum Code: String, CaseIterable, Sendable {
        /// The folder or file cannot be opened.
        case cannotOpen
        /// The file system or the file does not allow writing.
        case readOnly
        /// No space is left, or the store is as large as it may be.
        case full
        /// The file is no store, or its content contradicts itself.
        case corrupt
        /// Another broker has the store.
        case inUse
        /// A newer program wrote the store.
        case unknownVersion
        /// Reading or writing failed for another reason.
        case failed
    }

    /// Which fault.
    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The file, and the row if known.
    public let location: String
    /// What to do about it.
    public let remedy: String

    /// Describes a fault.
    public init(_ code: Code, _ what: String, at location: String, remedy: String) {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
    }

    public var description: String { "\(location): \(what); \(remedy)." }

    /// A fault that SQLite reported.
    init(_ error: any Error, at location: String) {
        if let known = error as? JobStoreError {
            self = known
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.failed, "\(error)", at: location, remedy: "look at the file system")
            return
        }
        let (code, remedy): (Code, String) =
            switch error.resultCode {
            case .SQLITE_FULL: (.full, "make room on the file system")
            case .SQLITE_READONLY, .SQLITE_PERM: (.readOnly, "make the folder writable")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
                (.corrupt, "restore the file from a backup or move it away")
            case .SQLITE_BUSY, .SQLITE_LOCKED: (.inUse, "stop the other program")
            case .SQLITE_CANTOPEN: (.cannotOpen, "name a folder that exists and is writable")
            default: (.failed, "look at the file system and its logs")
            }
        self.init(code, error.message ?? "\(error.resultCode)", at: location, remedy: remedy)
    }
}
