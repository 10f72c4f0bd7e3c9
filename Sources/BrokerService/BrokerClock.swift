// The loop's time: the Unix epoch, so that deadlines outlive a restart, but driven by the monotonic
// clock, so that setting the system's clock loses no worker and expires no result.

import Glibc
import QueueCore

/// Reads the time.
struct BrokerClock {
    private let offset: Int64

    init() { offset = Self.read(CLOCK_REALTIME) - Self.read(CLOCK_MONOTONIC) }

    /// The time, in microseconds since the Unix epoch.
    var now: Instant { Instant(microseconds: Self.read(CLOCK_MONOTONIC) + offset) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
