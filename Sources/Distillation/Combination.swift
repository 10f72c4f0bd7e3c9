// Captions that training never sees: known things in an unseen colour or pose.
import Foundation

/// A line of a data set's combinations.jsonl.
public struct Combination: Sendable, Equatable, Decodable {
    /// The caption in English.
    public let text: String
    /// The caption in Chinese, if there is one.
    public let chineseText: String?
    /// What is new about it: `colour`, `size`, `pose`, `expression` or `person` in the box model's
    /// set.
    public let kind: String?
    /// Captions of the things it is put together from.
    public let known: [String]?
    /// The image that shows it, if one exists.
    public let fileName: String?
    /// That image's concept.
    public let concept: String?

    private enum CodingKeys: String, CodingKey {
        case text, kind, known, concept
        case chineseText = "text_zh"
        case fileName = "file_name"
    }

    /// Reads a data set's combinations; none if the data set has no such file.
    /// - Throws: `DataSetError` with the lines that cannot be read.
    public static func read(from folder: String) throws(DataSetError) -> [Combination] {
        let name = "combinations.jsonl"
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        var problems = ProblemList()
        let file = JSONLinesFile(
            path: path, name: name, missingRemedy: "add the file", problems: &problems)
        let decoder = JSONDecoder()
        var combinations: [Combination] = []
        for line in file.lines where !problems.isFull {
            do {
                combinations.append(try decoder.decode(Combination.self, from: line.bytes))
            } catch {
                let problem = (error as? DecodingError)?.problem
                problems.add(
                    name, line.number, problem?.what ?? "\(error)",
                    problem?.remedy ?? "write one JSON object a line")
            }
        }
        try problems.check(folder: folder)
        return combinations
    }
}
