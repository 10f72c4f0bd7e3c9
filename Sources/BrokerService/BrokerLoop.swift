// The loop: poll, decode, apply, commit, act. One thread owns all of it; the rules are in
// `QueueCore`, the promise that nothing is said before it is on disk is kept here.

import JobStore
import QueueCore
import WireProtocol
import ZeroMQSockets

/// A broker's sockets, queue and store. It belongs to the thread that made it.
final class BrokerLoop {
    let configuration: BrokerConfiguration
    let clock = BrokerClock()
    let board: SnapshotBoard
    let waker: Waker
    let startedAt: Instant

    let store: JobStore
    var queue: JobQueue
    var turn = Turn()
    private var scratch: [QueueEffect] = []

    let authenticator: Authenticator?
    let clientSocket: RouterSocket
    let workerSocket: RouterSocket
    let clientMonitor: ConnectionMonitor
    let workerMonitor: ConnectionMonitor
    private var poller = Poller()

    var clients = PeerTable()
    var workers = PeerTable()
    var channels: [ConnectionID: Channel] = [:]
    var lastConnection: UInt64 = 0
    var lastMadeUpKey: UInt64 = 0
    var workerPeers: [WorkerID: Peer] = [:]
    var lastWorker: UInt64 = 0
    /// Workers that have been ready in their present life, by name.
    var readyIncarnations: [String: UInt64] = [:]
    var previewWishes: [JobID: PreviewWish] = [:]
    var reports: [JobID: StepReport] = [:]
    /// What workers make of what requests leave open, by their models' names and hashes.
    var openShapes: [String: BrokerConfiguration.Shape] = [:]
    /// Jobs to look at again since that was learned, the next one last.
    var jobsToReshape: [JobID] = []
    var recentRequests = RecentRequests()
    /// Channels whose peer turned out to be gone, to be told to the queue in the next turn.
    var lostChannels: [ConnectionID] = []

    var journal = JournalMetrics()
    var sockets = SocketMetrics()
    var turns: UInt64 = 0
    var isStopping = false
    var nextProbe: Instant?
    private var nextHousekeeping = Instant(microseconds: 0)
    private var nextPublication = Instant(microseconds: 0)

    init(_ configuration: BrokerConfiguration, waker: Waker, board: SnapshotBoard) throws {
        try configuration.checkEndpoints()
        self.configuration = configuration
        self.waker = waker
        self.board = board
        startedAt = clock.now
        var options = JobStore.Options()
        options.maximumBytes = configuration.maximumStoreBytes
        store = try JobStore(folder: configuration.dataFolder, options: options)
        var effects: [QueueEffect] = []
        queue = try JobQueue(
            recovering: try store.snapshot(), limits: configuration.effectiveQueueLimits,
            at: clock.now, into: &effects)
        let context = try ZeroMQContext(
            ioThreads: configuration.ioThreads, maximumSockets: 65_000)
        var common = SocketOptions()
        var authenticator: Authenticator?
        if case .curve(let secret, let folder) = configuration.security {
            authenticator = try Authenticator(
                keys: try AuthorizedKeys(folder: folder), in: context)
            common.security = .curveServer(secret)
        }
        self.authenticator = authenticator
        var clientOptions = common
        clientOptions.maximumFrameBytes = Int64(WireLimits.clientFrame.bytes)
        clientSocket = try RouterSocket(
            in: context, options: clientOptions, authenticator: authenticator)
        var workerOptions = common
        workerOptions.maximumFrameBytes = Int64(WireLimits.workerFrame.bytes)
        workerOptions.receiveHighWaterMark = 16
        workerSocket = try RouterSocket(
            in: context, options: workerOptions, authenticator: authenticator)
        clientMonitor = try ConnectionMonitor(clientSocket.socket, name: "clients")
        workerMonitor = try ConnectionMonitor(workerSocket.socket, name: "workers")
        try clientSocket.socket.bind(to: configuration.clientEndpoint)
        try workerSocket.socket.bind(to: configuration.workerEndpoint)
        watchSockets()
        take(effects, EffectContext())
    }

    private func watchSockets() {
        for socket in [
            clientSocket.socket, workerSocket.socket, clientMonitor.socket, workerMonitor.socket,
        ] { _ = poller.add(socket) }
        if let authenticator { _ = poller.add(authenticator.socket) }
        _ = poller.add(waker)
    }

    /// One turn: waits for something to do, then does it.
    func runTurn() throws {
        _ = try poller.wait(milliseconds: waitingTime())
        waker.clear()
        turns += 1
        try authenticator?.answerRequests()
        try receive()
        if let deadline = queue.nextDeadline, deadline <= clock.now { apply(.timePassed) }
        reshapeJobs()
        finishTurn()
        try flushOutboxes()
        keepHouse()
    }

    /// Takes in what waits, from both sockets in turns of limited length.
    private func receive() throws {
        for connection in lostChannels { apply(.connectionClosed(connection)) }
        lostChannels = []
        try noteConnections()
        var isDrained = false
        for _ in 0..<configuration.messagesPerTurn {
            guard let message = try clientSocket.receive() else {
                isDrained = true
                break
            }
            sockets.received += 1
            try takeClientMessage(message)
        }
        if isDrained || turns.isMultiple(of: 64) {
            for peer in clients.takeClosed() { closeClient(peer) }
        }
        isDrained = false
        for _ in 0..<max(1, configuration.messagesPerTurn / 16) {
            guard let message = try workerSocket.receive() else {
                isDrained = true
                break
            }
            sockets.received += 1
            try takeWorkerMessage(message)
        }
        if isDrained || turns.isMultiple(of: 64) {
            for peer in workers.takeClosed() { forgetWorker(peer) }
        }
    }

    /// Reads what the monitors have seen.
    func noteConnections() throws {
        while let event = try clientMonitor.next() { clients.note(event) }
        while let event = try workerMonitor.next() { workers.note(event) }
    }

    /// Applies an event and sorts its effects.
    func apply(_ event: QueueEvent, _ context: EffectContext = EffectContext()) {
        scratch.removeAll(keepingCapacity: true)
        queue.apply(event, at: clock.now, into: &scratch)
        take(scratch, context)
    }

    private func take(_ effects: [QueueEffect], _ context: EffectContext) {
        for effect in effects {
            switch effect {
            case .store(let entry):
                turn.store.entries.append(entry)
                forgetEnded(entry)
            case .discardBlob(let handle):
                if turn.store.blobs.removeValue(forKey: handle) == nil {
                    turn.store.discarded.append(handle)
                }
            default: turn.actions.append(.effect(effect, context))
            }
        }
    }

    /// What the loop itself remembers of running jobs goes with them.
    private func forgetEnded(_ entry: JournalEntry) {
        switch entry {
        case .changed(let id, let state):
            switch state.phase {
            case .ended, .expired: break
            case .waiting, .leased, .quarantined: return
            }
            previewWishes[id] = nil
            reports[id] = nil
        case .startedOver(let id, _): reports[id] = nil
        case .accepted, .forgotten: break
        }
    }

    /// Keeps bytes for the queue until the end of the turn, and in the store if they are still
    /// referred to then.
    func keep(_ bytes: [UInt8]) -> BlobHandle {
        let handle = store.makeHandle()
        turn.bytes[handle] = bytes
        turn.store.blobs[handle] = bytes
        return handle
    }

    /// The bytes of a handle, of this turn or an earlier one.
    func bytes(of handle: BlobHandle) -> [UInt8]? {
        turn.bytes[handle] ?? (try? store.blob(handle)) ?? nil
    }

    private func waitingTime() -> Int {
        if !lostChannels.isEmpty || !turn.store.isEmpty || !turn.actions.isEmpty { return 0 }
        if !jobsToReshape.isEmpty { return 0 }
        if !clients.waiting.isEmpty || !workers.waiting.isEmpty { return 2 }
        let now = clock.now
        var longest: Int64 = 250_000
        if let deadline = queue.nextDeadline {
            longest = min(longest, max(0, (deadline - now).microseconds))
        }
        return Int((longest + 999) / 1000)
    }

    private func keepHouse() {
        let now = clock.now
        if board.isWanted, now >= nextPublication {
            board.publish(status())
            nextPublication = now + .milliseconds(250)
        }
        guard now >= nextHousekeeping else { return }
        nextHousekeeping = now + .seconds(2)
        _ = try? authenticator?.reloadIfChanged()
        store.measureRoom()
        if let nextProbe, nextProbe <= now { probeStore() }
    }
}
