// The queue's rules towards clients, one by one.

import Testing

@testable import QueueCore

struct JobQueueTests {
    typealias Harness = QueueHarness

    @Test func storesBeforeItAnswers() {
        var harness = Harness()
        harness.submit(Harness.job("a"))
        let store = harness.effects.firstIndex { $0.isStore }
        let reply = harness.effects.firstIndex {
            if case .reply = $0 { return true } else { return false }
        }
        #expect(store == 0)
        #expect(reply == 1)
    }

    @Test func theSameRequestIsTheSameJobAndResult() {
        var harness = Harness()
        let first = harness.submit(Harness.job("a"))
        #expect(harness.submit(Harness.job("a")) == first)
        #expect(harness.effects.contains { $0.isStore } == false)
        #expect(harness.submit(Harness.job("a"), by: Harness.client("bob")) != first)
        harness.register(1)
        let lease = harness.leases[0]
        harness.complete(1, lease.id)
        let ending = harness.endings
        #expect(ending.count == 1)
        #expect(harness.submit(Harness.job("a")) == first)
        #expect(harness.endings == ending)
        harness.submit(Harness.job("a", payload: [3, 2, 1]))
        #expect(harness.refusals == [.requestIDReused])
        // What the payload leaves open may be known better by now.
        #expect(harness.submit(Harness.job("a", steps: 5)) == first)
    }

    @Test(arguments: [
        Harness.job("", steps: 1), Harness.job("a", pixels: 0), Harness.job("a", pixels: .max),
        Harness.job("a", steps: .max), Harness.job("a", steps: -1),
        Harness.job(String(repeating: "x", count: 129)),
        Harness.job("a", payload: [UInt8](repeating: 0, count: 65 << 10)),
        Harness.job("a", model: ""),
    ])
    func refusesWhatIsOutOfRange(submission: Submission) {
        var harness = Harness()
        harness.submit(submission)
        #expect(harness.refusals == [.invalidRequest])
        #expect(harness.effects.count == 1)
    }

    @Test func aFullQueueSaysWhenToComeBack() {
        var harness = Harness { $0.jobs = 2 }
        harness.submit(Harness.job("a"))
        harness.submit(Harness.job("b"))
        guard case .failure(let error) = harness.submit(Harness.job("c")) else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .queueFull)
        #expect(error.retryAfter ?? .zero > .zero)
        harness.apply(
            .cancelRequested(.request(RequestID(key: "a")), by: Harness.client()))
        #expect((try? harness.submit(Harness.job("c")).get()) != nil)
    }

    @Test func payloadBytesAreBounded() {
        var harness = Harness { $0.payloadBytes = 10 }
        harness.submit(Harness.job("a", payload: [UInt8](repeating: 0, count: 8)))
        harness.submit(Harness.job("b", payload: [UInt8](repeating: 0, count: 8)))
        #expect(harness.refusals == [.queueFull])
    }

    @Test func aClientHasItsOwnLimits() {
        var harness = Harness()
        let limits = ClientLimits(queuedJobs: 2, pixelsPerHour: 3 * 256 * 256)
        harness.submit(Harness.job("a"), limits: limits)
        harness.submit(Harness.job("b"), limits: limits)
        harness.submit(Harness.job("c"), limits: limits)
        #expect(harness.refusals == [.clientQueueFull])
        harness.register(1)
        harness.complete(1, harness.leases[0].id)
        harness.submit(Harness.job("c"), limits: limits)
        #expect(harness.refusals == [])
        harness.complete(1, LeaseID(job: JobID(number: 2), attempt: 1))
        guard case .failure(let error) = harness.submit(Harness.job("d"), limits: limits) else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .pixelBudgetSpent)
        harness.wait(error.retryAfter ?? .zero, beating: [1])
        harness.submit(Harness.job("d"), limits: limits)
        #expect(harness.refusals == [])
    }

    @Test func onlyTheOwnerOrAnAdminCancels() {
        var harness = Harness()
        harness.submit(Harness.job("a"))
        let job = JobReference.job(JobID(number: 1))
        harness.apply(.cancelRequested(job, by: Harness.client("eve", connection: 2)))
        #expect(harness.refusals == [.notOwner])
        harness.apply(
            .cancelRequested(job, by: Harness.client("root", connection: 3, isAdmin: true)))
        #expect(harness.endings == [.cancelled(.byAdmin)])
        harness.apply(.cancelRequested(.job(JobID(number: 9)), by: Harness.client()))
        #expect(harness.refusals == [.unknownJob])
    }

    @Test func cancellingARunningJobFencesItsWorker() {
        var harness = Harness()
        harness.register(1)
        harness.submit(Harness.job("a"))
        let lease = harness.leases[0].id
        harness.apply(.cancelRequested(.job(lease.job), by: Harness.client()))
        #expect(harness.endings == [.cancelled(.byOwner)])
        let revocation = QueueEffect.revokeLease(WorkerID(number: 1), lease, .cancelled)
        #expect(harness.effects.contains(revocation))
        harness.submit(Harness.job("b"))
        #expect(harness.leases.isEmpty, "the slot is busy until the worker has stopped")
        harness.complete(1, lease)
        #expect(harness.endings.isEmpty)
        #expect(harness.leases.count == 1)
        #expect(harness.state(1)?.phase == .ended(.cancelled(.byOwner)))
    }

    @Test func abandonedJobsStopDetachedOnesGoOn() {
        var harness = Harness()
        harness.submit(Harness.job("a"))
        harness.submit(Harness.job("b", isDetached: true))
        harness.submit(Harness.job("c"))
        harness.apply(.attachRequested(.job(JobID(number: 3)), by: Harness.client(connection: 2)))
        harness.apply(.connectionClosed(ConnectionID(number: 1)))
        harness.wait(.seconds(6))
        #expect(harness.state(1)?.phase == .ended(.cancelled(.abandoned)))
        #expect(harness.state(2)?.phase == .waiting)
        #expect(harness.state(3)?.phase == .waiting)
    }

    @Test func aReturningClientKeepsItsJob() {
        var harness = Harness()
        harness.submit(Harness.job("a"))
        harness.apply(.connectionClosed(ConnectionID(number: 1)))
        harness.now = harness.now + .seconds(4)
        let request = JobReference.request(RequestID(key: "a"))
        harness.apply(.attachRequested(request, by: Harness.client(connection: 2)))
        harness.wait(.seconds(60))
        #expect(harness.state(1)?.phase == .waiting)
    }

    @Test func closingAConnectionIsSpreadOverTicks() {
        var harness = Harness { $0.workPerTick = 10 }
        for index in 0..<35 { harness.submit(Harness.job("\(index)", isDetached: true)) }
        harness.apply(.connectionClosed(ConnectionID(number: 1)))
        #expect(harness.queue.watches.count == 25)
        #expect(harness.queue.nextDeadline == harness.now)
        harness.wait(.seconds(1))
        #expect(harness.queue.watches.count == 0)
    }

    @Test func unknownExpiredAndFailedDiffer() {
        var harness = Harness {
            $0.resultLifetime = .seconds(100)
            $0.tombstoneLifetime = .seconds(100)
        }
        harness.register(1)
        harness.submit(Harness.job("a"))
        let failure = WorkerFailure(code: "nan", message: "Bad.", isRetriable: false)
        harness.apply(.leaseFailed(WorkerID(number: 1), harness.leases[0].id, failure))
        let attach = QueueEvent.attachRequested(
            .request(RequestID(key: "a")), by: Harness.client())
        harness.apply(attach)
        #expect(harness.endings.first?.code == .permanentError)
        harness.wait(.seconds(101), beating: [1])
        harness.apply(attach)
        #expect(harness.refusals == [.resultExpired])
        harness.wait(.seconds(101), beating: [1])
        harness.apply(attach)
        #expect(harness.refusals == [.unknownJob])
        #expect(harness.queue.jobs.count == 0)
    }

    @Test func resultsAreKeptToASize() {
        var harness = Harness { $0.resultBytes = 250 }
        harness.register(1)
        for index in 0..<3 {
            harness.submit(Harness.job("\(index)"))
            harness.complete(1, harness.leases[0].id, bytes: 100)
        }
        #expect(harness.state(1)?.phase == .expired)
        #expect(harness.state(2)?.phase != .expired)
        let discarded = harness.effects.contains {
            if case .discardBlob = $0 { return true } else { return false }
        }
        #expect(discarded)
    }

    @Test func withoutAJournalNothingIsAcceptedOrStarted() {
        var harness = Harness()
        harness.submit(Harness.job("a"))
        harness.apply(.journalBecameUnavailable)
        harness.submit(Harness.job("b"))
        #expect(harness.refusals == [.storeUnavailable])
        harness.submit(Harness.job("a"))
        #expect(harness.refusals == [])
        harness.register(1)
        #expect(harness.effects.isEmpty)
        harness.apply(.journalBecameAvailable)
        harness.register(1)
        #expect(harness.leases.count == 1)
    }

    @Test func theSameEventsGiveTheSameEffects() {
        func run() -> [QueueEffect] {
            var harness = Harness()
            var all: [QueueEffect] = []
            for index in 0..<50 {
                let client = Harness.client("c\(index % 7)", connection: UInt64(index % 7))
                harness.submit(Harness.job("\(index)", steps: 1 + index % 5), by: client)
                all += harness.effects
            }
            harness.register(1, slots: 4)
            all += harness.effects
            for index in 0..<50 {
                harness.complete(1, LeaseID(job: JobID(number: UInt64(index)), attempt: 1))
                all += harness.effects
            }
            return all
        }
        let first = run()
        #expect(first.count > 100)
        #expect(first == run())
    }
}
