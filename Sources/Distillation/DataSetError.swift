// What is wrong with a data set: all of it at once, so that it can be put right in one go.

/// One fault in a data set: in which file and line, what, and what to do about it.
public struct DataSetProblem: Sendable, Equatable, CustomStringConvertible {
    /// The file, relative to the data set's folder where it lies in there.
    public let file: String
    /// The line of that file, counted from 1; nil where the file as a whole is at fault.
    public let line: Int?
    /// What is wrong, without a full stop at the end.
    public let what: String
    /// What to do about it, without a full stop at the end.
    public let remedy: String

    public init(file: String, line: Int? = nil, what: String, remedy: String) {
        self.file = file
        self.line = line
        self.what = what
        self.remedy = remedy
    }

    /// The fault in one line.
    public var description: String {
        let place = line.map { "\(file), line \($0)" } ?? file
        return "\(place): \(what); \(remedy)"
    }
}

/// A data set that cannot be used, with everything that was found wrong with it.
public struct DataSetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// How many problems are gathered before reading stops.
    public static let problemLimit = 20

    /// The folder of the data set.
    public let folder: String
    /// What is wrong, in the order of the files; at least one, at most `problemLimit`.
    public let problems: [DataSetProblem]

    public init(folder: String, problems: [DataSetProblem]) {
        self.folder = folder
        self.problems = problems
    }

    /// The only problem in one line, or a list with one problem a line.
    public var description: String {
        if problems.count == 1 { return "\(folder): \(problems[0])" }
        let isCut = problems.count >= Self.problemLimit
        let count = isCut ? "at least \(problems.count)" : "\(problems.count)"
        let lines = problems.map { "\n  \($0)" }.joined()
        return "\(folder): \(count) problems:\(lines)"
    }
}

/// Problems as they are found.
struct ProblemList {
    private(set) var problems: [DataSetProblem] = []

    var isFull: Bool { problems.count >= DataSetError.problemLimit }
    var isEmpty: Bool { problems.isEmpty }

    mutating func add(_ problem: DataSetProblem) {
        if !isFull { problems.append(problem) }
    }

    mutating func add(_ file: String, _ line: Int?, _ what: String, _ remedy: String) {
        add(DataSetProblem(file: file, line: line, what: what, remedy: remedy))
    }

    /// Throws what was found, if anything was.
    func check(folder: String) throws(DataSetError) {
        if !isEmpty { throw DataSetError(folder: folder, problems: problems) }
    }
}
