// What can be wrong with a frame, or with a value that should become one.

/// A fault in a message: what, at which field, and what to do about it.
public struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// The frame is over the limit of its kind; it was not looked into.
        case frameTooLarge
        /// The frame is truncated, or is no protobuf message of this kind.
        case malformed
        /// Bytes that should be text are not UTF-8, or hold a NUL.
        case invalidText
        /// A text, a list or a byte string is over its limit.
        case limitExceeded
        /// A field that the message cannot do without is absent.
        case missingField
        /// An enumeration has a value that this version does not know.
        case unknownValue
        /// A value is out of its field's range, or is no finite number.
        case invalidValue
        /// The sender speaks another version of the protocol.
        case unsupportedVersion
    }

    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The field at fault as a path of the names in `Proto/`, outermost first; empty for the frame.
    public private(set) var location: String
    /// What to do about it.
    public let remedy: String

    public init(_ code: Code, _ what: String, field: String, remedy: String) {
        self.code = code
        self.what = what
        self.location = field
        self.remedy = remedy
    }

    public var description: String {
        location.isEmpty ? "the frame \(what); \(remedy)" : "\(location) \(what); \(remedy)"
    }

    /// The same fault, seen from the message around it.
    func inside(_ field: String) -> WireError {
        var outer = self
        outer.location = location.isEmpty ? field : "\(field).\(location)"
        return outer
    }

    /// This fault as the error of a reply.
    public var serviceError: ServiceError {
        let code: ErrorCode =
            switch code {
            case .frameTooLarge, .limitExceeded: .limitExceeded
            case .malformed, .invalidText, .missingField: .invalidMessage
            case .unknownValue, .invalidValue: .invalidField
            case .unsupportedVersion: .unsupportedVersion
            }
        return ServiceError(code: code, field: location, sentence: description)
    }
}
