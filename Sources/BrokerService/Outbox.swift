// Replies that a peer does not take at present: bounded, with old progress making way.

import QueueCore
import ZeroMQSockets

/// A message on its way out.
struct Outgoing {
    /// What is sent.
    enum Body {
        case bytes([UInt8])
        /// A result, fetched when it can be sent; the correlation is added then.
        case result(BlobHandle, JobID, correlation: UInt64)
    }

    /// What a newer message replaces.
    struct ProgressKey: Equatable {
        var job: JobID
        var correlation: UInt64
    }

    var route: Route
    var body: Body
    /// Set for progress.
    var progress: ProgressKey?

    /// Bytes in memory, roughly.
    var size: Int {
        switch body {
        case .bytes(let bytes): bytes.count + 64
        case .result: 128
        }
    }
}

/// A queue of messages with an end.
struct Outbox {
    private var items: [Outgoing?] = []
    private var head = 0
    private(set) var count = 0
    private(set) var bytes = 0

    /// What became of a message.
    enum Outcome { case kept, replaced, dropped }

    var first: Outgoing? { head < items.count ? items[head] ?? nil : nil }

    mutating func append(_ item: Outgoing, count limit: Int, bytes byteLimit: Int) -> Outcome {
        if let key = item.progress,
            let index = items.indices.suffix(64).last(where: {
                $0 >= head && items[$0]?.progress == key
            }), let old = items[index]
        {
            bytes += item.size - old.size
            items[index] = item
            return .replaced
        }
        let isProgress = item.progress != nil
        let share = isProgress ? 2 : 1
        guard count < limit / share, bytes + item.size <= byteLimit / share else {
            return .dropped
        }
        items.append(item)
        count += 1
        bytes += item.size
        return .kept
    }

    mutating func removeFirst() {
        guard let item = first else { return }
        items[head] = nil
        head += 1
        count -= 1
        bytes -= item.size
        if head > 64 && head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
    }
}
