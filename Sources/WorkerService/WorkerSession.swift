// The rules of a worker, without sockets, threads or a clock: what arrives and the time go in,
// actions come out. `WorkerLoop` carries them out.

import WireProtocol

/// A worker's side of the protocol.
struct WorkerSession {
    typealias Instant = ContinuousClock.Instant

    /// What the loop is to do, in order.
    enum Action: Equatable {
        /// Give up the connection and its unsent messages, and open another.
        case connect
        case disconnect
        case send(WorkerMessage)
        case order(WorkOrder)
        case cancel(LeaseReference)
        case log(String)
        /// Everything is said and done; the error is nil after a drain.
        case end(WorkerError?)
    }

    enum Link: Equatable {
        case down(until: Instant)
        case registering(since: Instant)
        case registered
    }

    /// Why the work in progress is to stop.
    enum Stop { case revoked, handBack }

    /// The lease that the compute thread has.
    struct Work {
        let order: WorkOrder
        var stop: Stop?
        var lastStep: WorkStep?
        /// Steps since the lease began, over all images.
        var stepCounter: UInt64 = 0
        /// The last image, which goes with the result.
        var lastImage: GeneratedImage?
    }

    /// A message to be kept until the broker has it on disk.
    struct Kept {
        let lease: LeaseReference
        let message: WorkerMessage
        /// Its field number in WorkerMessage.
        let field: UInt32
        let imageIndex: UInt32
        let stepCounter: UInt64
        var sentAt: Instant
    }

    let options: WorkerOptions
    let processID: UInt64
    let incarnation: UInt64
    private(set) var capabilities: WorkerCapabilities?
    private var warmUpSeconds: Double?
    var secondsAStep: Double?
    var link: Link
    private var pause: Duration
    private var lastLoggedPause: Duration?
    var heartbeatInterval = Duration.seconds(1)
    var missedHeartbeatsAllowed = 3
    var nextHeartbeat: Instant
    var lastHeard: Instant
    private(set) var sequence: UInt64 = 0
    var work: Work?
    var kept: [Kept] = []
    /// When a draining worker stops its work; nil: it is not draining.
    var drainDeadline: Instant?
    private(set) var hasEnded = false
    private var actions: [Action] = []

    init(options: WorkerOptions, processID: UInt64, incarnation: UInt64, now: Instant) {
        self.options = options
        self.processID = processID
        self.incarnation = incarnation
        link = .down(until: now)
        pause = options.shortestPause
        nextHeartbeat = now
        lastHeard = now
    }

    var isReady: Bool { warmUpSeconds != nil }

    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    mutating func perform(_ action: Action) {
        actions.append(action)
    }

    /// Sends now if the broker knows this worker; what must not be lost is kept besides.
    mutating func send(_ message: WorkerMessage) {
        guard link == .registered else { return }
        perform(.send(message))
    }

    mutating func end(_ error: WorkerError? = nil) {
        guard !hasEnded else { return }
        hasEnded = true
        perform(.end(error))
    }

    // Connection.

    mutating func loseLink(_ why: String, at now: Instant) {
        // One line for each pause, and silence once that no longer grows.
        if pause != lastLoggedPause { perform(.log("\(why); connecting again in \(pause)")) }
        lastLoggedPause = pause
        perform(.disconnect)
        link = .down(until: now + pause)
        pause = min(pause * 2, options.longestPause)
    }

    mutating func register(at now: Instant) {
        guard let capabilities else { return }
        link = .registering(since: now)
        perform(.connect)
        var held = work.map { [$0.order.lease] } ?? []
        for item in kept where !held.contains(item.lease) { held.append(item.lease) }
        perform(
            .send(
                .register(
                    RegisterWorker(
                        name: options.name, host: options.host, processID: processID,
                        version: capabilities.version, model: capabilities.model,
                        maximumPixels: capabilities.maximumPixels,
                        heldLeases: Array(held.prefix(WireLimits.leases)),
                        incarnation: incarnation, defaultShape: capabilities.defaultShape))))
    }

    /// The broker knows this worker: says all that it may have missed.
    mutating func becomeRegistered(_ reply: WorkerRegistered, at now: Instant) {
        link = .registered
        pause = options.shortestPause
        lastLoggedPause = nil
        lastHeard = now
        heartbeatInterval = .milliseconds(
            min(max(Int(reply.heartbeatIntervalMilliseconds), 50), 60_000))
        missedHeartbeatsAllowed = min(max(Int(reply.missedHeartbeatsAllowed), 2), 100)
        nextHeartbeat = now
        perform(.log("registered as \(options.name) with \(options.broker)"))
        if let warmUpSeconds { send(.ready(WorkerReady(warmUpSeconds: warmUpSeconds))) }
        for lease in reply.revokedLeases { revoke(lease) }
        for index in kept.indices {
            kept[index].sentAt = now
            send(kept[index].message)
        }
        if let work, let step = work.lastStep, work.stop == nil {
            send(.stepReport(Self.report(step, work.order.lease)))
        }
    }

    mutating func beat(at now: Instant) {
        sequence += 1
        let lease = work?.order.lease ?? kept.first?.lease
        send(
            .heartbeat(
                WorkerHeartbeat(
                    sequence: sequence, lease: lease,
                    stepCounter: work?.stepCounter ?? kept.first?.stepCounter ?? 0,
                    residentBytes: ResidentMemory.bytes, secondsAStep: secondsAStep,
                    draining: drainDeadline != nil)))
        nextHeartbeat += heartbeatInterval
        if nextHeartbeat <= now { nextHeartbeat = now + heartbeatInterval }
    }

    // The compute thread.

    mutating func setCapabilities(_ capabilities: WorkerCapabilities) {
        self.capabilities = capabilities
    }

    mutating func becomeReady(seconds: Double, secondsAStep: Double?) {
        warmUpSeconds = seconds
        self.secondsAStep = secondsAStep
        send(.ready(WorkerReady(warmUpSeconds: seconds)))
    }

    static func report(_ step: WorkStep, _ lease: LeaseReference) -> StepReport {
        StepReport(
            lease: lease, stage: .denoising, step: UInt32(clamping: step.step),
            steps: UInt32(clamping: step.stepCount), imageIndex: UInt32(clamping: step.imageIndex),
            stepSeconds: step.seconds, resume: step.resume, previewPNG: step.previewPNG)
    }
}
