// A client's account: its fair turn, its jobs, its pixels of the hour.

struct Client: Sendable {
    let id: ClientID
    /// Where its last job's fair turn ends, by priority.
    var finishTags = [Int64](repeating: 0, count: Priority.allCases.count)
    /// Accepted jobs that have not ended.
    var unfinished = 0
    /// Remembered jobs of any phase.
    var records = 0
    /// Pixels on account, which drain within an hour.
    var pixels = 0.0
    var drainedAt: Instant
    /// Its key among the idle clients.
    var idleAt: Instant?

    /// Lets the hour's pixels drain at the rate that the limit sets.
    mutating func drain(_ limits: ClientLimits, to now: Instant) {
        let elapsed = (now - drainedAt).seconds
        drainedAt = now
        pixels = max(0, pixels - elapsed * Double(limits.pixelsPerHour) / 3600)
    }

    /// How long until `wanted` more pixels fit; nil where they never will.
    func wait(for wanted: Double, _ limits: ClientLimits) -> TimeSpan? {
        let allowed = Double(limits.pixelsPerHour)
        guard wanted <= allowed else { return nil }
        let excess = pixels + wanted - allowed
        return excess <= 0 ? .zero : TimeSpan(clamping: excess / allowed * 3600e6) + .seconds(1)
    }
}

/// All remembered clients by name and by number.
struct ClientTable: Sendable {
    private var numbers: [ClientID: UInt64] = [:]
    private var clients: [UInt64: Client] = [:]
    private var idle = RankedSet()
    private var last: UInt64 = 0

    var count: Int { clients.count }
    var nextIdle: Instant? { idle.first.map { Instant(microseconds: $0.major) } }

    func number(of id: ClientID) -> UInt64? { numbers[id] }

    subscript(number: UInt64) -> Client {
        get { clients[number]! }
        _modify { yield &clients[number]! }
    }

    /// The number of a client, which is entered if need be; nil when there are too many.
    mutating func enter(_ id: ClientID, limit: Int, at now: Instant) -> UInt64? {
        if let number = numbers[id] { return number }
        if clients.count >= limit {
            guard let oldest = idle.first else { return nil }
            remove(oldest.minor)
        }
        last += 1
        numbers[id] = last
        clients[last] = Client(id: id, drainedAt: now)
        markIdle(last, at: now)
        return last
    }

    /// Counts a job in, which keeps the client remembered.
    mutating func addJob(_ number: UInt64) {
        self[number].records += 1
        if let moment = self[number].idleAt {
            idle.remove(RankedKey(moment.microseconds, number))
            self[number].idleAt = nil
        }
    }

    /// Counts a job out.
    mutating func removeJob(_ number: UInt64, at now: Instant) {
        self[number].records -= 1
        if self[number].records == 0 { markIdle(number, at: now) }
    }

    /// Forgets a client that has been idle until `now`; returns whether there was one.
    mutating func forgetIdle(at now: Instant) -> Bool {
        guard let first = idle.first, first.major <= now.microseconds else { return false }
        remove(first.minor)
        return true
    }

    /// An hour must pass before forgetting a client cannot give it pixels back.
    private mutating func markIdle(_ number: UInt64, at now: Instant) {
        let moment = now + .seconds(3600)
        self[number].idleAt = moment
        idle.insert(RankedKey(moment.microseconds, number))
    }

    private mutating func remove(_ number: UInt64) {
        if let moment = self[number].idleAt {
            idle.remove(RankedKey(moment.microseconds, number))
        }
        numbers[self[number].id] = nil
        clients[number] = nil
    }
}
