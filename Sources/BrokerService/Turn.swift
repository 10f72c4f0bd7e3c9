// What one turn of the loop gathers: what must be on disk, and what is done once it is.

import JobStore
import QueueCore
import WireProtocol

/// What the loop knew when it applied an event, for carrying out its effects.
struct EffectContext {
    /// The requests that are answered with `done`.
    enum Request { case other, cancel, release }

    var request = Request.other
    /// The job was known before.
    var isKnown = false
    /// A watch is renewed and its holder knows already.
    var isSilent = false
    /// The field of the worker's message that is to be acknowledged.
    var messageField: UInt32 = 0
}

/// One turn.
struct Turn {
    enum Action {
        case effect(QueueEffect, EffectContext)
        case reply(ConnectionID, ServerMessage)
        case tellWorker(WorkerID, BrokerMessage)
    }

    /// What is committed.
    var store = StoreTurn()
    /// What is done afterwards, in order.
    var actions: [Action] = []
    /// The bytes behind the handles made in this turn.
    var bytes: [BlobHandle: [UInt8]] = [:]
    /// The clients' requests, to be refused if the commit fails.
    var requests: [(channel: ConnectionID, correlation: UInt64)] = []
    /// Bytes that this turn's new jobs take of the store's room, about.
    var acceptedBytes: Int64 = 0
    /// Channels that may not be needed any more.
    var channels: [ConnectionID] = []
}
