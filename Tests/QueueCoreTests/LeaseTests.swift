// The queue's rules towards workers: fencing, resumption, deaths, quarantine, recovery.

import Testing

@testable import QueueCore

struct LeaseTests {
    typealias Harness = QueueHarness

    @Test func jobsGoWhereTheirModelIs() {
        var harness = Harness()
        harness.register(1, models: ["m"], pixels: 512 * 512)
        harness.submit(Harness.job("a", model: "n"))
        #expect(harness.leases.isEmpty)
        guard case .accepted(_, let estimate) = harness.replies.first else {
            Issue.record("not accepted")
            return
        }
        #expect(estimate.hold == .modelNotLoaded)
        harness.submit(Harness.job("b", pixels: 1024 * 1024, model: "m"))
        let report = harness.queue.report(on: JobID(number: 2))
        #expect(report?.estimate?.hold == .imageTooLarge)
        harness.register(2, models: ["n"])
        #expect(harness.leases.map(\.id.job.number) == [1])
    }

    @Test func aShapeThatIsLearnedHoldsForJobsThatWait() {
        var harness = Harness()
        let first = JobID(number: 1)
        harness.submit(Harness.job("a", pixels: 1024 * 1024, steps: 8))
        harness.register(1, pixels: 512 * 512)
        #expect(harness.queue.report(on: first)?.estimate?.hold == .imageTooLarge)
        let shape = JobShape(pixels: 128 * 128, steps: 24)
        harness.apply(.shapeLearned(first, shape))
        let rows = harness.effects.compactMap { effect -> JobShape? in
            guard case .store(.accepted(let row)) = effect else { return nil }
            return row.submission.shape
        }
        #expect(rows == [shape], "it is stored")
        #expect(harness.leases.map(\.id.job) == [first], "and finds its worker")
        // What runs stays as it is, and so does what is told twice or cannot be.
        harness.apply(.shapeLearned(first, JobShape(pixels: 256, steps: 1)))
        #expect(harness.effects.isEmpty)
        harness.submit(Harness.job("b", pixels: 128 * 128, steps: 24))
        for wrong in [shape, JobShape(pixels: .max, steps: 1), JobShape(pixels: 256, steps: 0)] {
            harness.apply(.shapeLearned(JobID(number: 2), wrong))
            #expect(harness.effects.isEmpty)
        }
        #expect(harness.queue.unbegunJobs == [JobID(number: 2)])
        harness.complete(1, LeaseID(job: first, attempt: 1))
        #expect(harness.endings.count == 1)
    }

    @Test func aWorkerThatDrainsIsNoneToWaitFor() {
        var harness = Harness()
        harness.register(1, models: ["m"])
        harness.beat(1, isDraining: true)
        harness.submit(Harness.job("a", model: "m"))
        #expect(harness.queue.report(on: JobID(number: 1))?.estimate?.hold == .noWorker)
        harness.register(2, models: ["n"])
        #expect(harness.queue.report(on: JobID(number: 1))?.estimate?.hold == .modelNotLoaded)
        harness.beat(1)
        #expect(harness.leases.map(\.id.job.number) == [1])
    }

    @Test func aDeadlineMissedOnHoldSaysWhy() {
        var harness = Harness()
        harness.register(1, models: ["m"])
        harness.submit(
            Harness.job("a", model: "n", deadline: harness.now + .seconds(2)))
        harness.wait(.seconds(3), beating: [1])
        guard case .failed(let failure) = harness.endings.first else {
            Issue.record("\(harness.endings)")
            return
        }
        #expect(failure.code == .deadlineExceeded)
        #expect(failure.message.hasSuffix("has the model that it asks for."))
    }

    @Test func aLostWorkersJobGoesOnElsewhereFromItsLastStep() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a"))
        let old = harness.leases[0].id
        harness.step(1, old, 1, blob: 11)
        harness.step(1, old, 2, blob: 12)
        #expect(harness.effects.contains(.discardBlob(BlobHandle(number: 11))))
        harness.register(2)
        harness.wait(.seconds(3), beating: [2])
        let lease = harness.leases[0]
        #expect(lease.id == LeaseID(job: old.job, attempt: 2))
        #expect(lease.resume == ResumePoint(step: 2, blob: BlobHandle(number: 12)))
        harness.register(1)
        harness.complete(1, old)
        #expect(harness.endings.isEmpty, "the old attempt's result is refused")
        let refusal = QueueEffect.confirmLeaseEnd(WorkerID(number: 1), old, isTaken: false)
        #expect(harness.effects.contains(refusal))
        harness.complete(2, lease.id)
        #expect(harness.endings.count == 1)
    }

    @Test func aFalseAlarmCostsNothing() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a"))
        let lease = harness.leases[0].id
        harness.wait(.seconds(4))
        #expect(harness.state(1)?.deaths == 1)
        harness.register(1, held: [HeldLease(lease: lease, step: 1)])
        #expect(harness.state(1)?.phase == .leased)
        #expect(harness.state(1)?.deaths == 0)
        harness.complete(1, lease)
        #expect(harness.endings.count == 1)
    }

    @Test func slowIsNotHungAndHungIsNotSlow() {
        var harness = Harness { $0.hangLongest = .seconds(100) }
        harness.register(1)
        harness.submit(Harness.job("a"))
        let lease = harness.leases[0].id
        harness.wait(.seconds(90), beating: [1])
        harness.step(1, lease, 1)
        harness.wait(.seconds(90), beating: [1])
        #expect(harness.state(1)?.phase == .leased)
        harness.wait(.seconds(20), beating: [1])
        #expect(harness.state(1)?.phase == .waiting)
        #expect(harness.state(1)?.deaths == 1)
        let revocation = QueueEffect.revokeLease(WorkerID(number: 1), lease, .hung)
        #expect(harness.effects.contains(revocation))
    }

    @Test func aKillerIsQuarantinedAndReleased() {
        var harness = Harness()
        harness.submit(Harness.job("a"))
        for attempt in 1...3 {
            harness.register(UInt64(attempt))
            #expect(harness.leases.map(\.id.attempt) == [UInt32(attempt)])
            harness.wait(.seconds(4))
        }
        guard case .quarantined(_, let quarantine) = harness.replies.last else {
            Issue.record("not quarantined")
            return
        }
        #expect(quarantine.deaths == 3)
        #expect(quarantine.cause == .silent)
        harness.apply(.quarantineListRequested(by: Harness.client()))
        #expect(harness.refusals == [.adminOnly])
        let admin = Harness.client("root", connection: 9, isAdmin: true)
        harness.apply(.quarantineListRequested(by: admin))
        guard case .quarantineList(let list) = harness.replies[0] else { return }
        #expect(list.map(\.id.number) == [1])
        harness.apply(.quarantineInspected(JobID(number: 1), by: admin))
        guard case .quarantinedJob(_, let payload) = harness.replies[0] else { return }
        #expect(payload == [1, 2, 3])
        harness.apply(.quarantineReleased(JobID(number: 1), by: admin))
        harness.register(7)
        #expect(harness.leases.map(\.id.attempt) == [4])
    }

    @Test func errorsAreRetriedWithPausesUpToALimit() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a"))
        let failure = WorkerFailure(code: "io", message: "Disk.", isRetriable: true)
        for attempt in UInt32(1)...3 {
            let lease = LeaseID(job: JobID(number: 1), attempt: attempt)
            #expect(harness.state(1)?.attempt == attempt)
            harness.apply(.leaseFailed(WorkerID(number: 1), lease, failure))
            if attempt < 3 { #expect(harness.state(1)?.phase == .waiting) }
            harness.wait(.seconds(10), beating: [1])
        }
        guard case .ended(.failed(let reason)) = harness.state(1)?.phase else {
            Issue.record("not failed")
            return
        }
        #expect(reason.code == .errorsExhausted)
        #expect(reason.workerCode == "io")
        #expect(harness.state(1)?.deaths == 0)
    }

    @Test func drainingHandsBackWithoutBlame() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a"))
        let lease = harness.leases[0].id
        harness.beat(1, isDraining: true)
        let point = ResumePoint(step: 3, blob: BlobHandle(number: 5))
        harness.apply(.leaseHandedBack(WorkerID(number: 1), lease, resume: point))
        #expect(harness.leases.isEmpty)
        harness.apply(.workerLeft(WorkerID(number: 1)))
        harness.register(2)
        #expect(harness.leases[0].resume == point)
        #expect(harness.state(1)?.deaths == 0)
    }

    @Test func aLeaseThatNeverArrivedIsGivenAgain() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a"))
        for _ in 0..<4 {
            harness.now = harness.now + .seconds(1)
            harness.sequence += 1
            let heartbeat = Heartbeat(sequence: harness.sequence)
            harness.apply(.heartbeatReceived(WorkerID(number: 1), heartbeat))
            if !harness.leases.isEmpty { break }
        }
        #expect(harness.leases.map(\.id.attempt) == [2])
        #expect(harness.state(1)?.deaths == 0)
    }

    @Test func oneNameOneWorkerUnlessItReconnects() {
        var harness = Harness()
        harness.register(1, name: "w")
        harness.submit(Harness.job("a"))
        let lease = harness.leases[0].id
        harness.register(2, name: "w", incarnation: 2)
        let isRefused = harness.effects.contains {
            if case .refuseWorker = $0 { return true } else { return false }
        }
        #expect(isRefused)
        harness.register(3, name: "w", held: [HeldLease(lease: lease, step: 1)])
        harness.complete(3, lease)
        #expect(harness.endings.count == 1)
    }

    @Test func deadlinesAreCheckedAgainstMeasuredCosts() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a", steps: 4))
        let lease = harness.leases[0].id
        for step in 1...4 {
            harness.now = harness.now + .seconds(2)
            harness.step(1, lease, step)
        }
        harness.complete(1, lease)
        let soon = harness.now + .seconds(10)
        guard case .failure(let error) = harness.submit(Harness.job("b", steps: 20, deadline: soon))
        else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .deadlineUnreachable)
        let expected = harness.now + .seconds(40)
        #expect((error.estimatedEnd ?? harness.now) >= expected)
        let later = harness.now + .seconds(60)
        harness.submit(Harness.job("b", steps: 20, deadline: later))
        #expect(harness.leases.count == 1)
        harness.wait(.seconds(61), beating: [1])
        #expect(harness.endings.map(\.code) == [.deadlineExceeded])
    }

    @Test func aRestartKeepsJobsAndLeases() throws {
        var harness = Harness()
        var journal = JournalModel()
        func keep(_ effects: [QueueEffect]) {
            for case .store(let entry) in effects { journal.apply(entry) }
        }
        for key in ["a", "b", "c"] {
            harness.submit(Harness.job(key))
            keep(harness.effects)
        }
        harness.register(1, slots: 2)
        keep(harness.effects)
        harness.complete(1, LeaseID(job: JobID(number: 1), attempt: 1))
        keep(harness.effects)
        var effects: [QueueEffect] = []
        harness.queue = try JobQueue(
            recovering: journal.snapshot, at: harness.now, into: &effects)
        let held = [HeldLease(lease: LeaseID(job: JobID(number: 2), attempt: 1), step: 2)]
        harness.register(8, name: "w1", slots: 1, held: held)
        #expect(harness.leases.isEmpty)
        harness.complete(8, held[0].lease)
        #expect(harness.state(2)?.attempt == 1)
        #expect(harness.state(2)?.endedAt != nil)
        harness.wait(.seconds(6), beating: [8])
        #expect(harness.leases.map(\.id) == [LeaseID(job: JobID(number: 3), attempt: 2)])
        harness.submit(Harness.job("a"))
        #expect(harness.endings.map(\.code) == [.completed])
        harness.submit(Harness.job("d"))
        #expect(harness.state(4)?.phase == .waiting)
    }
}
