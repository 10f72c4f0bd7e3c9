// Two processes on one checkpoint share its pages, and neither has a copy of its own.
import Foundation
import TestSupport
import Testing

@Suite struct SharedWeightsTests {
    /// What the kernel says of a process's mappings of weight files, in KiB by kind.
    private func mappings(_ process: Running) -> [String: Int] {
        let path = "/proc/\(process.processIdentifier)/smaps"
        // Files of /proc have no size: they are read to their end.
        guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd() else { return [:] }
        let text = String(decoding: data, as: UTF8.self)
        var totals: [String: Int] = [:]
        var isWeights = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if let first = words.first, first.contains("-"), !first.hasSuffix(":") {
                isWeights = line.hasSuffix(".safetensors")
            } else if isWeights, words.count == 3, let size = Int(words[1]) {
                totals[String(words[0].dropLast()), default: 0] += size
            }
        }
        return totals
    }

    @Test func pagesAreShared() throws {
        let folder = try TemporaryFolder()
        let processes = try (0..<2).map { index in
            try Running(
                Turbine.path,
                [
                    "generate", "--model", Repository.path("Models/emoji"), "--prompt",
                    "red heart", "--steps", "1000", "--guidance", "2", "--preview",
                    folder.file("preview-\(index).png"), "--output",
                    folder.file("\(index).png"),
                ])
        }
        // A preview follows a whole step: by then the transformer's weights have been read.
        let end = ContinuousClock.now + .seconds(120)
        while (0..<2).contains(where: { !folder.exists("preview-\($0).png") }),
            ContinuousClock.now < end
        {
            usleep(5000)
        }
        let found = processes.map(mappings)
        for process in processes { #expect(process.isRunning, "\(process.errors)") }
        for totals in found {
            #expect(try #require(totals["Rss"]) > 10 << 10, "\(totals)")
            #expect(totals["Private_Dirty"] == 0, "\(totals)")
            #expect(totals["Shared_Dirty"] == 0, "\(totals)")
            // Each page that one has, the other has, too.
            #expect(try #require(totals["Shared_Clean"]) > 10 << 10, "\(totals)")
        }
        for process in processes { process.send(SIGKILL) }
    }
}
