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

    /// Binds and serves; the broker's store is in `dataFolder`.
    /// - Throws: `StatusHTTPError` for an address that cannot be used.
    init(_ broker: Broker, dataFolder: String, configuration: StatusConfiguration) throws {
        let board = broker.board
        // The first snapshot, so that the first reader finds one.
        let deadline = ContinuousClock.now + .seconds(20)
        while board.latest() == nil, ContinuousClock.now < deadline { usleep(2000) }
        guard let first = board.latest() else {
            throw ValidationError("The broker shows no state; look at its log.")
        }
        let shelf = ThumbnailShelf(dataFolder: dataFolder)
        server = StatusServer(configuration: configuration) {
            Self.source(await board.recent() ?? first, board, shelf)
        }
        address = "\(configuration.host):\(try server.startAndWait())"
    }

    private static func source(
        _ status: BrokerStatus, _ board: SnapshotBoard, _ shelf: ThumbnailShelf
    ) -> StatusSource {
        StatusSource(
            queue: status.queue, process: facts(status, board),
            details: { job in
                let known = shelf.details(of: job)
                guard let request = status.requests[job] else { return known }
                return JobDetails(
                    prompt: request.excerpt, width: known?.width ?? request.width.map { Int($0) },
                    height: known?.height ?? request.height.map { Int($0) },
                    seed: known?.seed ?? request.seed)
            },
            thumbnail: { await shelf.picture(of: $0, in: status.queue) })
    }

    private static func facts(_ status: BrokerStatus, _ board: SnapshotBoard) -> ProcessFacts {
        let now = status.queue.at + TimeSpan(board.age)
        var facts = ProcessFacts(
            version: status.process.version, now: now, uptime: now - status.process.startedAt)
        facts.loopSilence = TimeSpan(board.silence)
        facts.residentBytes = status.process.residentBytes
        facts.queueCapacity = status.queueCapacity
        facts.journalFileBytes = status.journal.fileBytes
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
        return facts
    }
}

extension TimeSpan {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}
