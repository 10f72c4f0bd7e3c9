// What the broker shows of itself besides the queue: plain values for the status pages.

import Glibc
import QueueCore

/// The broker at a moment.
public struct BrokerStatus: Sendable {
    /// The queue.
    public var queue: QueueSnapshot
    /// Jobs that the queue may hold.
    public var queueCapacity: Int
    /// What the jobs listed in `queue` ask for, where still known.
    public var requests: [JobID: RequestSummary]
    /// What the queue does not know of the workers.
    public var workers: [WorkerID: WorkerDetails]
    /// The process.
    public var process: ProcessMetrics
    /// The journal.
    public var journal: JournalMetrics
    /// The sockets.
    public var sockets: SocketMetrics
}

/// A worker's own words, for people.
public struct WorkerDetails: Sendable, Equatable {
    /// The machine it runs on.
    public var host: String
    /// Its process.
    public var processID: UInt64
    /// The program's version.
    public var version: String
    /// The loaded model's name.
    public var modelName: String
    /// The loaded model's hash.
    public var modelHash: String
    /// When its connection registered.
    public var connectedAt: Instant
    /// Its own measure of a step.
    public var secondsAStep: Double?
}

/// The broker's process.
public struct ProcessMetrics: Sendable, Equatable {
    /// The program's version.
    public var version: String
    /// When the broker started.
    public var startedAt: Instant
    /// Resident memory in bytes.
    public var residentBytes: Int64
    /// Processor time used, in seconds.
    public var processorSeconds: Double
    /// Turns of the loop.
    public var turns: UInt64

    /// Resident memory and processor time of this process.
    static func measure() -> (residentBytes: Int64, processorSeconds: Double) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        var resident: Int64 = 0
        if let file = fopen("/proc/self/statm", "r") {
            var line = [CChar](repeating: 0, count: 128)
            if fgets(&line, Int32(line.count), file) != nil {
                let text = String(
                    decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
                resident = (pages ?? 0) * Int64(getpagesize())
            }
            fclose(file)
        }
        return (resident, seconds(usage.ru_utime) + seconds(usage.ru_stime))
    }
}

/// The journal's speed and health.
public struct JournalMetrics: Sendable, Equatable {
    /// Upper ends of the histogram's ranges in seconds; one more range is without end.
    public static let bounds = [
        0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5,
    ]
    /// Commits within each range, not cumulative.
    public var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// Seconds of all commits together.
    public var secondsTotal = 0.0
    /// Entries written.
    public var entries: UInt64 = 0
    /// Commits that failed.
    public var failures: UInt64 = 0
    /// Bytes of the file.
    public var fileBytes: Int64 = 0
    /// The last failure, as long as it lasts.
    public var fault: String?
    private var recent: [Double] = []
    private var cursor = 0

    /// Commits that succeeded.
    public var commits: UInt64 { counts.reduce(0, +) }

    /// The median of the last 256 commits in seconds; nil before the first.
    public var medianSeconds: Double? {
        recent.isEmpty ? nil : recent.sorted()[recent.count / 2]
    }

    mutating func observe(_ seconds: Double, entries count: Int) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        secondsTotal += seconds
        entries += UInt64(count)
        if recent.count < 256 {
            recent.append(seconds)
        } else {
            recent[cursor] = seconds
            cursor = (cursor + 1) % recent.count
        }
    }
}

/// The traffic.
public struct SocketMetrics: Sendable, Equatable {
    /// Clients' connections that have sent something.
    public var clientConnections = 0
    /// Workers' connections that have sent something.
    public var workerConnections = 0
    /// Messages received.
    public var received: UInt64 = 0
    /// Messages that were none of the protocol.
    public var malformed: UInt64 = 0
    /// Messages refused for their sender's role.
    public var unauthorized: UInt64 = 0
    /// Connections refused for their key.
    public var refusedKeys: UInt64 = 0
    /// Messages sent.
    public var sent: UInt64 = 0
    /// Messages given up because their receiver does not take them.
    public var dropped: UInt64 = 0
    /// Progress replaced by newer progress before it was sent.
    public var coalesced: UInt64 = 0
    /// Replies that wait for slow clients, and their bytes.
    public var waitingReplies = 0
    /// See `waitingReplies`.
    public var waitingBytes = 0
}
