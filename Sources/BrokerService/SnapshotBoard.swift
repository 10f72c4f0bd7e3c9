// Where the loop puts its state for the status pages, and they read it: the one thing that the
// loop shares with other threads.

import Synchronization
import ZeroMQSockets

/// The latest state of a broker, for any thread.
public final class SnapshotBoard: Sendable {
    private struct Content {
        var status: BrokerStatus?
        var version: UInt64 = 0
        var publishedAt = ContinuousClock.now
        /// Since when somebody has waited for a newer one.
        var wantedSince: ContinuousClock.Instant?
    }

    private let content = Mutex(Content())
    private let waker: Waker

    init(waker: Waker) { self.waker = waker }

    /// The state as last published, and the wish for a newer one: asking regularly keeps it at
    /// most about 250 ms old; `queue.at` says when it was. Nil before the first.
    public func latest() -> BrokerStatus? {
        let (status, isNewWish) = content.withLock { content in
            let isNewWish = content.wantedSince == nil
            if isNewWish { content.wantedSince = .now }
            return (content.status, isNewWish)
        }
        if isNewWish { waker.wake() }
        return status
    }

    /// A state published after this call; after `limit` without one, the last: the broker has
    /// stopped or is stuck.
    public func fresh(within limit: Duration = .seconds(1)) async -> BrokerStatus? {
        let start = content.withLock { $0.version }
        let end = ContinuousClock.now + limit
        _ = latest()
        while ContinuousClock.now < end, content.withLock({ $0.version }) == start {
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { break }
        }
        return content.withLock { $0.status }
    }

    /// A state of the last 300 ms, made by the loop if there is none; the last one of a loop that
    /// is stuck. Nil before the first.
    public func recent() async -> BrokerStatus? {
        let status = latest()
        return age < .milliseconds(300) ? status : await fresh()
    }

    /// Time since the last publication.
    public var age: Duration { content.withLock { ContinuousClock.now - $0.publishedAt } }

    /// How long the loop has left a wish unanswered: far above 250 ms, it is busy or stuck.
    public var silence: Duration {
        content.withLock { $0.wantedSince.map { ContinuousClock.now - $0 } ?? .zero }
    }

    /// Whether somebody has asked since the last publication.
    var isWanted: Bool { content.withLock { $0.wantedSince != nil } }

    func publish(_ status: BrokerStatus) {
        content.withLock { content in
            content.status = status
            content.version += 1
            content.publishedAt = .now
            content.wantedSince = nil
        }
    }
}
