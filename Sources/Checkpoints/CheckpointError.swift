// What can be wrong with the files of a model.

/// A fault in a checkpoint: what, in which file, at which tensor or field, and what to do.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// A file or folder is not there or cannot be read.
        case missingFile
        /// A file is cut short or its structure is broken.
        case malformedFile
        /// A tensor that the architecture needs is not in the files.
        case missingTensor
        /// A tensor that the architecture does not have is in the files.
        case unexpectedTensor
        /// A tensor has another shape than the configuration implies.
        case wrongShape
        /// A tensor has an element type that is not supported.
        case wrongElementType
        /// A configuration field is missing, of the wrong type or out of range.
        case invalidField
        /// A configuration is valid but asks for something that is not implemented.
        case unsupported
        /// A file cannot be written.
        case unwritable
    }

    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The file or folder.
    public let file: String
    /// The tensor or configuration field, if one is at fault.
    public let element: String?
    /// What to do about it.
    public let remedy: String

    public init(
        _ code: Code, _ what: String, file: String, element: String? = nil, remedy: String
    ) {
        self.code = code
        self.what = what
        self.file = file
        self.element = element
        self.remedy = remedy
    }

    public var description: String {
        let place = element.map { "\(file), \($0)" } ?? file
        return "\(place): \(what); \(remedy)"
    }
}
