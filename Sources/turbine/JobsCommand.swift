// `turbine jobs`: the jobs that a broker knows.
import ArgumentParser
import Foundation
import TurbineClient
import WireProtocol

struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs that a broker knows.")

    @OptionGroup var connection: ClientConnection
    @Flag(help: "Other clients' jobs, too; for admins.")
    var all = false
    @Option(help: "Only jobs in this state; may be given several times.")
    var state: [JobState] = []
    @Option(help: "At most so many.")
    var limit: UInt32 = 100
    @Option(help: "Only jobs with a greater id.")
    var after: UInt64 = 0

    func run() throws {
        let client = try connection.client()
        let request = ListJobsRequest(
            states: state, limit: limit, afterJobID: after, allClients: all)
        let list = try waitFor { try await client.jobs(request) }
        for job in list.jobs { print(Self.line(job)) }
        if list.more, let last = list.jobs.last {
            StandardError.write("there are more; go on with --after \(last.jobID)")
        }
    }

    static func line(_ job: JobSummary) -> String {
        let size = "\(job.width)x\(job.height)" + (job.imageCount > 1 ? "×\(job.imageCount)" : "")
        var text = "\(job.jobID)\t\(job.state)\t\(job.step)/\(job.steps)\t\(size)"
        text += "\t\(job.priority)\t\(job.worker.isEmpty ? "-" : job.worker)\t\(job.requestID)"
        text += "\t" + printable(job.promptExcerpt)
        if let hold = job.hold.sentence { text += "\t(on hold: \(hold))" }
        if let error = job.error { text += "\t(\(printable(error.sentence)))" }
        return text
    }
}

/// Text of others on one line of a terminal.
func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
}

extension JobState: ExpressibleByArgument {
    public init?(argument: String) {
        let match = JobState.allCases.first { "\($0)" == argument && $0 != .unspecified }
        guard let match else { return nil }
        self = match
    }

    public static var allValueStrings: [String] { allCases.dropFirst().map { "\($0)" } }
}
