// Where the loop puts its state for the status pages, and they read it: the one thing that the
// loop shares with other threads.

import Synchronization
import ZeroMQSockets

/// The latest state of a broker, for any thread.
public final class SnapshotBoard: Sendable {
    private struct Content {
        var status: BrokerStatus?
        var version: UInt64 = 0
        var isWanted = false
    }

    private let content = Mutex(Content())
    private let waker: Waker

    init(waker: Waker) { self.waker = waker }

    /// The state as last published, and the wish for a newer one: asking regularly keeps it at
    /// most about 250 ms old; `queue.at` says when it was. Nil before the first.
    public func latest() -> BrokerStatus? {
        let (status, isNewWish) = content.withLock { content in
            defer { content.isWanted = true }
            return (content.status, !content.isWanted)
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

    /// Whether somebody has asked since the last publication.
    var isWanted: Bool { content.withLock { $0.isWanted } }

    func publish(_ status: BrokerStatus) {
        content.withLock { content in
            content.status = status
            content.version += 1
            content.isWanted = false
        }
    }
}
