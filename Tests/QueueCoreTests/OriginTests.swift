// All of a job comes from workers of one kind, or from the beginning.

import Testing

@testable import QueueCore

struct OriginTests {
    static let grace = QueueLimits().originGrace

    /// A queue with a job that a worker of model “m” and class “c” has brought to step 2.
    static func begun(step: Int? = 2) throws -> (QueueHarness, LeaseID) {
        var queue = QueueHarness()
        queue.register(1)
        _ = try queue.submit(QueueHarness.job("j", isDetached: true)).get()
        let lease = try #require(queue.leases.first).id
        if let step { queue.step(1, lease, step, blob: 50) }
        return (queue, lease)
    }

    @Test func anotherKindGetsNoBegunJob() throws {
        var (queue, lease) = try Self.begun()
        queue.register(2, numericsClass: "d")
        queue.register(3, models: ["n"])
        queue.apply(.leaseHandedBack(WorkerID(number: 1), lease, resume: nil))
        // The worker that gave it back is of the kind, and free.
        #expect(queue.leases.map(\.resume?.step) == [2])
        queue.apply(.workerLeft(WorkerID(number: 1)))
        #expect(queue.leases.isEmpty)
        #expect(queue.state(1)?.phase == .waiting && queue.state(1)?.resume?.step == 2)
        queue.register(4)
        #expect(queue.leases.map(\.resume?.step) == [2])
    }

    @Test func aFinishedImagePinsAsWell() throws {
        var (queue, lease) = try Self.begun(step: nil)
        queue.apply(.imageFinished(WorkerID(number: 1), lease))
        #expect(queue.state(1)?.origin == WorkOrigin(model: ModelID(hash: "m"), numericsClass: .c))
        queue.register(2, numericsClass: "d")
        queue.apply(.workerLeft(WorkerID(number: 1)))
        #expect(queue.leases.isEmpty)
    }

    @Test func withoutItsKindItBeginsAgainAfterTheGrace() throws {
        var (queue, lease) = try Self.begun()
        queue.register(2, numericsClass: "d")
        queue.apply(.workerLeft(WorkerID(number: 1)))
        queue.wait(Self.grace + .seconds(-2), beating: [2])
        #expect(queue.leases.isEmpty && queue.queue.counters.freshStarts == 0)
        queue.wait(.seconds(4), beating: [2])
        #expect(queue.leases.map(\.resume) == [nil])
        #expect(queue.effects.contains(.discardBlob(BlobHandle(number: 50))))
        let isTold = queue.effects.contains {
            if case .store(.startedOver) = $0 { true } else { false }
        }
        #expect(isTold && queue.queue.counters.freshStarts == 1)
        // What the first worker still says does not count.
        queue.register(1)
        queue.step(1, lease, 3, blob: 51)
        #expect(queue.effects.contains(.discardBlob(BlobHandle(number: 51))))
        #expect(queue.state(1)?.resume == nil)
    }

    @Test func aReturnOfTheKindRenewsTheGrace() throws {
        var (queue, _) = try Self.begun()
        queue.register(2, numericsClass: "d")
        queue.apply(.workerLeft(WorkerID(number: 1)))
        queue.wait(.seconds(40), beating: [2])
        queue.register(3)
        #expect(queue.leases.map(\.resume?.step) == [2])
        queue.apply(.workerLeft(WorkerID(number: 3)))
        queue.wait(.seconds(40), beating: [2])
        #expect(queue.queue.counters.freshStarts == 0)
        queue.wait(.seconds(25), beating: [2])
        #expect(queue.queue.counters.freshStarts == 1)
    }

    @Test func withNobodyElseItKeepsWhatItHas() throws {
        var (queue, _) = try Self.begun()
        queue.apply(.workerLeft(WorkerID(number: 1)))
        queue.wait(.seconds(600))
        #expect(queue.state(1)?.resume?.step == 2)
        queue.register(2)
        #expect(queue.leases.map(\.resume?.step) == [2])
    }

    @Test func aRefusedResumePointLeadsToAFreshStart() throws {
        var (queue, first) = try Self.begun()
        queue.apply(.leaseHandedBack(WorkerID(number: 1), first, resume: nil))
        let second = try #require(queue.leases.first).id
        let failure = WorkerFailure(
            code: "9 resume", message: "Damaged.", isRetriable: true, refusesResume: true)
        queue.apply(.leaseFailed(WorkerID(number: 1), second, failure))
        #expect(queue.leases.map(\.resume) == [nil])
        #expect(queue.state(1)?.errors == 0 && queue.state(1)?.origin == nil)
        // Without a resume point it is an error as any other.
        let third = try #require(queue.leases.first).id
        queue.apply(.leaseFailed(WorkerID(number: 1), third, failure))
        #expect(queue.leases.isEmpty && queue.state(1)?.errors == 1)
    }

    @Test func aResumePointOfUnknownOriginIsDropped() throws {
        var state = JobState()
        state.resume = ResumePoint(step: 2, blob: BlobHandle(number: 50))
        let submission = QueueHarness.job("j", isDetached: true)
        let row = DurableJob(
            id: JobID(number: 1), client: ClientID(name: "ann"), submission: submission,
            fingerprint: 0, acceptedAt: Instant(microseconds: 0), state: state)
        var effects: [QueueEffect] = []
        let queue = try JobQueue(
            recovering: JournalSnapshot(lastJob: 1, jobs: [row]), at: Instant(microseconds: 0),
            into: &effects)
        #expect(queue.row(of: row.id)?.state.resume == nil)
        #expect(effects.contains(.discardBlob(BlobHandle(number: 50))))
    }
}

extension NumericsClass {
    fileprivate static let c = NumericsClass(name: "c")
}
