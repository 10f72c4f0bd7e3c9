// What people want to know of a job's request after the queue has let its payload go.

import QueueCore
import WireProtocol

/// What a request asked for, cut to what a status page shows.
public struct RequestSummary: Sendable, Equatable {
    /// The start of the prompt, or of what fills the template.
    public var excerpt: String
    /// Pixels; nil where the request leaves it open.
    public var width: UInt32?
    /// See `width`.
    public var height: UInt32?
    /// The first image's seed, if the client chose one.
    public var seed: UInt64?

    init(_ request: GenerationRequest) {
        excerpt = request.excerpt
        (width, height, seed) = (request.width, request.height, request.seed)
    }
}

/// The summaries of the jobs met last; older ones give way.
struct RecentRequests {
    private let capacity: Int
    private var summaries: [JobID: RequestSummary] = [:]
    /// The ids in the order of their arrival, as a ring once it is full.
    private var order: [JobID] = []
    private var oldest = 0

    /// At most `capacity` summaries, which must be above 0.
    init(capacity: Int = 1024) { self.capacity = capacity }

    subscript(id: JobID) -> RequestSummary? { summaries[id] }

    var count: Int { summaries.count }

    /// Remembers a request, unless it is known.
    mutating func note(_ id: JobID, _ request: GenerationRequest) {
        guard summaries.updateValue(RequestSummary(request), forKey: id) == nil else { return }
        if order.count < capacity { return order.append(id) }
        summaries[order[oldest]] = nil
        order[oldest] = id
        oldest = (oldest + 1) % capacity
    }
}
