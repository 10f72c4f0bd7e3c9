// `turbine status`: how a broker and its workers are.
import ArgumentParser
import Foundation
import TurbineClient
import WireProtocol

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how a broker and its workers are.")

    @OptionGroup var connection: ClientConnection
    @Flag(help: "Show it again and again.")
    var watch = false
    @Option(help: "Seconds from one time to the next.")
    var interval: Double = 1
    @Flag(help: "Print JSON, one line each time.")
    var json = false

    func run() throws {
        guard (0.1...3600).contains(interval) else {
            throw ValidationError("--interval is \(interval); use 0.1 to 3600 seconds.")
        }
        let client = try connection.client()
        Interruption.install()
        repeat {
            let status = try waitFor { try await client.status() }
            if watch, !json, isatty(STDOUT_FILENO) == 1 {
                print("\u{1b}[H\u{1b}[2J", terminator: "")
            }
            print(json ? try StatusReport(status).line : StatusReport.text(status))
            fflush(nil)
            guard watch else { return }
            for _ in 0..<Int(interval * 10) where !Interruption.isRequested { usleep(100_000) }
        } while !Interruption.isRequested
    }
}

/// The status for people and for programs.
struct StatusReport: Encodable {
    struct WorkerLine: Encodable {
        let name, host, state, model, modelHash, numericsClass: String
        let jobID: UInt64
        let step, steps: UInt32
        let secondsAStep: Double?
        let residentBytes, jobsCompleted, lastHeardMilliseconds: UInt64
    }

    let version: String
    let uptimeSeconds: Double
    let isAccepting: Bool
    let queued, running, quarantined, queueCapacity, completed, failed, cancelled: UInt64
    let failures: [String: UInt64]
    let droppedMessages: UInt64
    let journalSecondsMedian: Double?
    let estimatedWaitSeconds: Double?
    let workers: [WorkerLine]

    init(_ status: ServiceStatus) {
        version = status.version
        uptimeSeconds = Double(status.uptimeMilliseconds) / 1000
        isAccepting = status.accepting
        queued = status.queued
        running = status.running
        quarantined = status.quarantined
        queueCapacity = status.queueCapacity
        completed = status.completed
        failed = status.failed
        cancelled = status.cancelled
        failures = Dictionary(
            status.failuresByCode.map { ("\($0.code)", $0.count) }, uniquingKeysWith: +)
        droppedMessages = status.droppedMessages
        journalSecondsMedian = status.journalSecondsMedian
        estimatedWaitSeconds = status.estimatedWaitMilliseconds.map { Double($0) / 1000 }
        workers = status.workers.map {
            WorkerLine(
                name: $0.name, host: $0.host, state: "\($0.state)", model: $0.modelName,
                modelHash: $0.modelHash, numericsClass: $0.numericsClass, jobID: $0.jobID,
                step: $0.step, steps: $0.steps, secondsAStep: $0.secondsAStep,
                residentBytes: $0.residentBytes, jobsCompleted: $0.jobsCompleted,
                lastHeardMilliseconds: $0.lastHeardMilliseconds)
        }
    }

    var line: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    static func text(_ status: ServiceStatus) -> String {
        var lines = [
            "turbine \(status.version), up \(status.uptimeMilliseconds / 1000) s, "
                + (status.accepting ? "accepting" : "not accepting"),
            "queued \(status.queued) of \(status.queueCapacity), running \(status.running), "
                + "quarantined \(status.quarantined)",
            "completed \(status.completed), failed \(status.failed), "
                + "cancelled \(status.cancelled)",
        ]
        if let wait = status.estimatedWaitMilliseconds {
            lines.append(String(format: "a new job waits about %.1f s", Double(wait) / 1000))
        }
        for worker in status.workers {
            var line = "\(printable(worker.name))\t\(worker.state)\t\(worker.modelName)"
            if worker.jobID != 0 {
                line += "\tjob \(worker.jobID), step \(worker.step)/\(worker.steps)"
            }
            if let seconds = worker.secondsAStep {
                line += String(format: "\t%.2f s a step", seconds)
            }
            line += "\t\(worker.residentBytes >> 20) MiB\t\(worker.jobsCompleted) done"
            lines.append(line)
        }
        if status.workers.isEmpty { lines.append("no workers") }
        return lines.joined(separator: "\n")
    }
}
