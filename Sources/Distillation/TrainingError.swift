// What can go wrong in training, apart from data sets and checkpoints.
import Foundation

/// A fault in a recipe or a run: what, where, and what to do.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// A recipe has an unknown key, a wrong value or a contradiction.
        case invalidRecipe
        /// A run's folder belongs to another recipe or other data, or cannot be used.
        case unusableRun
        /// A file or folder cannot be written.
        case unwritableFile
        /// A loss or gradient is not a number.
        case diverged
        /// Models do not fit each other.
        case mismatchedModels
    }

    public let code: Code
    /// What is wrong, as a clause.
    public let what: String
    /// The file, field or step.
    public let place: String
    /// What to do about it.
    public let remedy: String

    public init(_ code: Code, _ what: String, at place: String, remedy: String) {
        self.code = code
        self.what = what
        self.place = place
        self.remedy = remedy
    }

    public var description: String { "\(place): \(what); \(remedy)" }

    /// Runs what writes to a path with Foundation, and names the path when that fails.
    public static func writing<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw TrainingError(
                .unwritableFile, "cannot be written: \(error.localizedDescription)", at: path,
                remedy: "check that the folder takes files and that the disk has room")
        }
    }

    /// Makes a folder, and those above it, unless it is there.
    public static func makeFolder(_ path: String) throws {
        try writing(path) {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
    }
}
