// The figures of a model card are those that `turbine evaluate` left beside it.
import Foundation
import TestSupport
import Testing

@Suite struct ModelCardTests {
    /// What a row of the card says, from the report of an evaluation.
    private struct Report: Decodable {
        struct Retrieval: Decodable {
            let captions: Int
            let topOne, topFive: Double

            var shares: String { String(format: "%.1f / %.1f", 100 * topOne, 100 * topFive) }
            var counts: String {
                let found = [topOne, topFive].map { Int((Double(captions) * $0).rounded()) }
                return "\(found[0]) / \(found[1]) of \(captions)"
            }
        }
        struct Distance: Decodable {
            let descriptorDistance, peakSignalToNoise: Double
        }
        struct Plan: Decodable {
            let steps: Int
            let guidance: Double
        }

        let english, chinese, combinations: Retrieval
        let concepts, searched, evaluationsAnImage: Int
        let plan: Plan
        let reconstruction: Double
        let teacher: Distance?

        init(_ name: String) throws {
            let path = Repository.path("Models/emoji/evaluation/\(name).json")
            self = try JSONDecoder().decode(
                Report.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        }

        /// Cells behind the name of the row.
        var cells: [String] {
            let distance = teacher.map {
                String(format: "%.3f; %.1f dB", $0.descriptorDistance, $0.peakSignalToNoise)
            }
            return [
                "\(evaluationsAnImage)", english.shares, chinese.shares, combinations.counts,
                distance ?? "",
            ]
        }
    }

    private static let card: SourceFile? = SourceTree.file("Models/emoji/README.md")

    @Test(arguments: [
        ("teacher", "teacher, 50 steps, guidance 2"), ("student-8", "student, 8 steps"),
        ("student-4", "student, 4 steps"),
    ])
    func `each row of the table is a report`(name: String, title: String) throws {
        let card = try #require(Self.card)
        let report = try Report(name)
        #expect(title.contains("\(report.plan.steps) steps"))
        #expect(title.contains("guidance") == (report.plan.guidance > 0))
        let row = try #require(card.lines.first { $0.hasPrefix("| \(title) |") })
        let cells = row.split(separator: "|", omittingEmptySubsequences: false).dropFirst(2)
            .dropLast()
            .map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(cells == report.cells)
    }

    @Test func `figures in the text are the reports'`() throws {
        let text = try #require(Self.card).text.split(separator: "\n").joined(separator: " ")
        let report = try Report("student-8")
        for figure in [
            String(format: "with %.1f dB", report.reconstruction),
            "\(report.concepts) concepts",
            "among all \(report.searched.formatted(.number.locale(Locale(identifier: "en"))))",
        ] {
            #expect(text.contains(figure), "\(figure)")
        }
    }

    /// What the model in the box has to reach.
    @Test func `the student keeps up with its teacher`() throws {
        let (teacher, eight, four) = (
            try Report("teacher"), try Report("student-8"), try Report("student-4")
        )
        #expect(teacher.concepts >= 500)
        #expect(teacher.english.topOne >= 0.8 && teacher.english.topFive >= 0.92)
        for (student, share) in [(eight, 0.95), (four, 0.85)] {
            #expect(student.concepts == teacher.concepts)
            #expect(student.english.topOne >= share * teacher.english.topOne)
            #expect(student.chinese.topOne >= share * teacher.chinese.topOne)
        }
        #expect(eight.reconstruction >= 27)
    }
}
