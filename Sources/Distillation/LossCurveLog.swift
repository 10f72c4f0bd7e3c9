// Series from the CSV log that a training writes.
import Foundation
import ImagePipeline

extension LossCurve.Series {
    /// Reads columns of a CSV file with a head line; values without quotes.
    ///
    /// Cells that are empty or no number are passed over, and so is a last line without its end: a
    /// training that is still running may be writing it.
    /// - Parameters:
    ///   - path: the log.
    ///   - horizontal: the column of the horizontal axis.
    ///   - columns: the columns to read, a series each.
    /// - Throws: `GenerationError` when the file cannot be read or lacks a column.
    public static func read(
        log path: String, horizontal: String, columns: [String]
    ) throws -> [LossCurve.Series] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw GenerationError(
                code: .unreadableFile, field: path, what: "cannot be read",
                remedy: "name the CSV log of a training")
        }
        let end = data.lastIndex(of: 0x0A).map { $0 + 1 } ?? data.startIndex
        let lines = String(decoding: data[..<end], as: UTF8.self).split(
            whereSeparator: \.isNewline)
        let head = lines.first.map(Self.cells) ?? []
        func place(_ name: String) throws -> Int {
            guard let place = head.firstIndex(of: name) else {
                throw GenerationError(
                    code: .invalidArgument, field: path,
                    what: "has no column \(GenerationError.quote(name))",
                    remedy: "choose from \(GenerationError.list(head))")
            }
            return place
        }
        let x = try place(horizontal)
        let places = try columns.map(place)
        var series = columns.map { LossCurve.Series(name: $0, points: []) }
        for line in lines.dropFirst() {
            let values = Self.cells(line).map { Double($0) }
            guard x < values.count, let across = values[x], across.isFinite else { continue }
            for (index, place) in places.enumerated() where place < values.count {
                guard let value = values[place], value.isFinite else { continue }
                series[index].points.append(.init(x: across, y: value))
            }
        }
        return series
    }

    private static func cells(_ line: Substring) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }
}
