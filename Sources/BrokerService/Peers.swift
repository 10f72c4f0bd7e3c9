// The connections of the two sockets, as the loop knows them.

import QueueCore
import WireProtocol
import ZeroMQSockets

/// One TCP connection: descriptors are used again, so each use has a number.
struct Connection: Hashable {
    var descriptor: Int32
    var generation: UInt64
}

/// A peer of one of the sockets, by its routing id.
final class Peer {
    let id: [UInt8]
    var connection: Connection?
    var outbox = Outbox()
    let load = SendLoad()
    /// For clients: the channels that lead to it.
    var channels: [ChannelKey: ConnectionID] = [:]
    /// For workers.
    var worker: WorkerPeer?
    var isGone = false

    init(id: [UInt8]) { self.id = id }
}

/// What tells one channel of a peer from another.
struct ChannelKey: Hashable {
    var route: Route
    var mode: ReplyMode
}

/// A way to a client: what the queue takes for a connection. Behind a proxy one peer has many;
/// each reply mode has its own. It lasts while it follows jobs.
///
/// A class, because it may follow a hundred thousand jobs: a value that is looked at while it
/// changes would be copied each time.
final class Channel {
    let key: ChannelKey
    let peer: Peer
    /// The correlation of the last request for each job that it follows.
    var follows: [JobID: UInt64] = [:]
    /// Who uses it, for following again after a failed transaction.
    var client: ClientID
    var isAdmin: Bool

    init(key: ChannelKey, peer: Peer, client: ClientID, isAdmin: Bool) {
        self.key = key
        self.peer = peer
        self.client = client
        self.isAdmin = isAdmin
    }
}

/// A registered worker's connection.
struct WorkerPeer {
    var id: WorkerID
    /// What it makes of what requests leave open, if it has told.
    var openShape: BrokerConfiguration.Shape?
    var route: Route
    /// The loop's own count: connections keep their order.
    var sequence: UInt64 = 0
    var isReady = false
    var name = ""
    var incarnation: UInt64 = 0
    var numericsClass = ""
    var details: WorkerDetails
    /// Steps that were done before the current lease began.
    var base: (lease: LeaseID, step: Int)?
}

/// The peers of one socket.
struct PeerTable {
    private(set) var peers: [[UInt8]: Peer] = [:]
    private var byConnection: [Connection: Peer] = [:]
    private var generations: [Int32: UInt64] = [:]
    private var closed: [Connection] = []
    /// Peers with something in the outbox.
    var waiting: [Peer] = []

    var count: Int { peers.count }

    /// Takes note of a connection's beginning or end.
    mutating func note(_ event: ConnectionEvent) {
        switch event {
        case .accepted(let descriptor): generations[descriptor, default: 0] += 1
        case .closed(let descriptor):
            closed.append(
                Connection(descriptor: descriptor, generation: generations[descriptor] ?? 0))
        }
    }

    /// The known peer of a message; nil for a new one or one on a new connection.
    func peer(of message: RoutedMessage) -> Peer? {
        guard let peer = peers[message.route.peer],
            peer.connection?.descriptor == message.descriptor
        else { return nil }
        return peer
    }

    /// Enters the peer of a message. All events so far must have been noted. Returns a peer that
    /// had the same id over another connection, too.
    mutating func enter(_ message: RoutedMessage) -> (peer: Peer, displaced: Peer?) {
        let displaced = peers[message.route.peer]
        if let displaced { remove(displaced) }
        let peer = Peer(id: message.route.peer)
        if let descriptor = message.descriptor {
            let connection = Connection(
                descriptor: descriptor, generation: generations[descriptor] ?? 0)
            peer.connection = connection
            byConnection[connection] = peer
        }
        peers[peer.id] = peer
        return (peer, displaced)
    }

    mutating func remove(_ peer: Peer) {
        peer.isGone = true
        if peers[peer.id] === peer { peers[peer.id] = nil }
        if let connection = peer.connection { byConnection[connection] = nil }
    }

    /// The peers whose connections ended, once: to be asked when their last messages are read.
    mutating func takeClosed() -> [Peer] {
        guard !closed.isEmpty else { return [] }
        let gone = closed.compactMap { byConnection[$0] }
        closed = []
        return gone
    }
}
