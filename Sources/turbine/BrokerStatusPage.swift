// The broker's state as the status pages take it. Broker and pages do not know each other.
import ArgumentParser
import BrokerService
import Foundation
import QueueCore
import StatusHTTP

/// The status pages of a running broker.
struct BrokerStatusPage {
    let server: StatusServer
    /// The address with the port that was bound.
    let address: String

    /// Binds and serves.
    /// - Throws: `StatusHTTPError` for an address that cannot be used.
    init(_ broker: Broker, configuration: StatusConfiguration) throws {
        let board = broker.board
        // The first snapshot, so that the first reader finds one.
        let deadline = ContinuousClock.now + .seconds(5)
        while board.latest() == nil, ContinuousClock.now < deadline { usleep(2000) }
        guard let first = board.latest() else {
            throw ValidationError("The broker shows no state; look at its log.")
        }
        server = StatusServer(configuration: configuration) {
            Self.source(board.latest() ?? first)
        }
        address = "\(configuration.host):\(try server.startAndWait())"
    }

    private static func source(_ status: BrokerStatus) -> StatusSource {
        let now = Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1e6))
        var facts = ProcessFacts(
            version: status.process.version, now: now, uptime: now - status.process.startedAt)
        facts.residentBytes = status.process.residentBytes
        facts.journalCommits =
            LatencyHistogram(
                bounds: JournalMetrics.bounds, counts: status.journal.counts,
                sumSeconds: status.journal.secondsTotal) ?? LatencyHistogram()
        let sockets = status.sockets
        facts.droppedMessages = [
            "undeliverable": sockets.dropped, "malformed": sockets.malformed,
            "unauthorized": sockets.unauthorized, "refused_key": sockets.refusedKeys,
            "coalesced": sockets.coalesced,
        ]
        return StatusSource(
            queue: status.queue, process: facts,
            details: { job in
                status.prompts[job].map { JobDetails(prompt: $0, width: 0, height: 0) }
            })
    }
}
