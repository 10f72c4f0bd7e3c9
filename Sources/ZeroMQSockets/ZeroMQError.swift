// What can go wrong with sockets, keys and key files.

import CZeroMQ

/// A fault of a socket, a key or a key file: what, where, and what to do about it.
public struct ZeroMQError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// The address is no ZeroMQ endpoint, or cannot be resolved.
        case invalidAddress
        /// Another socket is bound there.
        case addressInUse
        /// The host has no such address.
        case addressNotAvailable
        /// The system does not allow it.
        case notPermitted
        /// The context is shutting down.
        case terminated
        /// The process is out of sockets, files or memory.
        case exhausted
        /// An option has a value that the library refuses.
        case invalidOption
        /// A key is no key.
        case invalidKey
        /// A key file is malformed, unreadable, or readable by others.
        case invalidFile
        /// The library was built without CURVE.
        case unsupported
        /// Anything else; `systemCode` says what.
        case other
    }

    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The endpoint, option or file.
    public let location: String
    /// What to do about it.
    public let remedy: String
    /// The library's errno, or 0.
    public let systemCode: Int32

    public init(
        _ code: Code, _ what: String, location: String, remedy: String, systemCode: Int32 = 0
    ) {
        self.code = code
        self.what = what
        self.location = location
        self.remedy = remedy
        self.systemCode = systemCode
    }

    public var description: String {
        "\(location): \(what); \(remedy)"
    }

    /// The library's last error in this thread.
    static func last(_ location: String) -> ZeroMQError {
        let number = zmq_errno()
        let (code, remedy): (Code, String) =
            switch number {
            case EINVAL, ENODEV, EPROTONOSUPPORT, incompatibleProtocol:
                (.invalidAddress, "check the address and the options")
            case EADDRINUSE: (.addressInUse, "choose another port or stop the other program")
            case EADDRNOTAVAIL: (.addressNotAvailable, "bind to an address of this host")
            case EACCES, EPERM: (.notPermitted, "choose a port above 1023 or run with the right")
            case contextTerminated: (.terminated, "open a new context")
            case EMFILE, ENOMEM, ENOBUFS: (.exhausted, "raise the limit of open files or memory")
            default: (.other, "see the library's message")
            }
        return ZeroMQError(
            code, String(cString: zmq_strerror(number)), location: location, remedy: remedy,
            systemCode: number)
    }
}

private let incompatibleProtocol = firstLibraryCode + 52
private let firstLibraryCode: Int32 = 156_384_712
private let contextTerminated = firstLibraryCode + 53
