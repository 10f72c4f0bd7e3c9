// `turbine quarantine`: the jobs that took down worker after worker.
import ArgumentParser
import Foundation
import TurbineClient
import WireProtocol

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Deal with jobs that took down several workers.",
        subcommands: [List.self, Inspect.self, Release.self, Discard.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List them.")
        @OptionGroup var connection: ClientConnection

        func run() throws {
            let client = try connection.client()
            let list = try waitFor { try await client.quarantine() }
            for job in list.jobs { print(JobsCommand.line(job.job)) }
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one with its request and the death that put it there.")
        @OptionGroup var connection: ClientConnection
        @Argument(help: "The job's id.")
        var job: UInt64

        func run() throws {
            let client = try connection.client()
            let number = job
            let list = try waitFor { try await client.inspectQuarantine(jobID: number) }
            for job in list.jobs { print(QuarantineCommand.text(job)) }
        }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Queue one again.")
        @OptionGroup var connection: ClientConnection
        @Argument(help: "The job's id.")
        var job: UInt64

        func run() throws {
            try QuarantineCommand.end(connection, job, discard: false)
        }
    }

    struct Discard: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Fail one for good.")
        @OptionGroup var connection: ClientConnection
        @Argument(help: "The job's id.")
        var job: UInt64

        func run() throws {
            try QuarantineCommand.end(connection, job, discard: true)
        }
    }

    private static func end(_ connection: ClientConnection, _ job: UInt64, discard: Bool) throws {
        let client = try connection.client()
        _ = try waitFor { try await client.releaseQuarantine(jobID: job, discard: discard) }
        print("job \(job) is \(discard ? "discarded" : "queued again")")
    }

    private static func text(_ job: QuarantinedJob) -> String {
        var lines = [JobsCommand.line(job.job)]
        for death in job.deaths {
            let time = Date(timeIntervalSince1970: Double(death.unixMilliseconds) / 1000)
            lines.append(
                "  attempt \(death.attempt) on \(printable(death.worker)) after step "
                    + "\(death.step), \(time.ISO8601Format()): \(printable(death.cause))")
        }
        if let request = job.request { lines.append("  " + printable("\(request)")) }
        return lines.joined(separator: "\n")
    }
}
