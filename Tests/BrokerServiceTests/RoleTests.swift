// Who may do what, with CURVE on: roles, strangers, and keys that are withdrawn.

import Testing
import WireProtocol
import ZeroMQSockets

@testable import BrokerService

@Suite(.serialized) struct RoleTests {
    @Test func eachRoleHasItsOwnSocket() throws {
        let ring = try KeyRing()
        let clientKey = try ring.add("alice", .client)
        let workerKey = try ring.add("mill", .worker)
        let bench = try ring.bench()
        let intruder = try bench.worker("intruder", security: clientKey)
        try intruder.register()
        guard case .refused(let refused) = try intruder.order() else { throw Silence() }
        #expect(refused.error.code == .notAuthorized)
        let worker = try bench.client(security: workerKey)
        for request in [ClientMessage.Request.make("a"), .getStatus, .listJobs(.init())] {
            try worker.send(request)
            #expect(try worker.failure().code == .notAuthorized)
        }
        // Nothing of it came to pass, and both are welcome where they belong.
        let client = try bench.client(security: clientKey)
        try client.send(.getStatus)
        guard case .status(let status) = try client.receiveAnswer() else { throw Silence() }
        #expect(status.workers.isEmpty && status.queued == 0)
        let rightful = try bench.worker("mill", security: workerKey)
        try rightful.join()
        try client.send(.make("a"))
        #expect(try client.accepted().jobID == 1)
        try rightful.complete(try rightful.lease())
        #expect(try client.completed().worker == "mill")
    }

    @Test func clientsSeeTheirOwnJobsAndAdminsAll() throws {
        let ring = try KeyRing()
        let bench = try ring.bench()
        let alice = try bench.client(security: ring.add("alice", .client))
        let bob = try bench.client(security: ring.add("bob", .client))
        let admin = try bench.client(security: ring.add("root", .admin))
        try alice.send(.make("same", detached: true))
        try bob.send(.make("same", detached: true))
        let jobs = [try alice.accepted().jobID, try bob.accepted().jobID]
        #expect(jobs[0] != jobs[1], "request ids belong to their key")

        try alice.send(.listJobs(ListJobsRequest()))
        guard case .jobs(let own) = try alice.receiveAnswer() else { throw Silence() }
        #expect(own.jobs.map(\.jobID) == [jobs[0]] && own.jobs.map(\.client) == ["alice"])
        let forbidden: [ClientMessage.Request] = [
            .listJobs(ListJobsRequest(allClients: true)), .listQuarantine(.init()),
            .inspectQuarantine(.init(jobID: jobs[0])), .releaseQuarantine(.init(jobID: jobs[0])),
            .attach(AttachRequest(job: .jobID(jobs[1]))),
            .cancel(CancelRequest(job: .jobID(jobs[1]))),
        ]
        for request in forbidden {
            try alice.send(request)
            #expect(try alice.failure().code == .notAuthorized)
        }

        try admin.send(.listJobs(ListJobsRequest(allClients: true)))
        guard case .jobs(let all) = try admin.receiveAnswer() else { throw Silence() }
        #expect(all.jobs.map(\.jobID).sorted() == jobs.sorted())
        #expect(all.jobs.map(\.state) == [.queued, .queued])
        try admin.send(.listQuarantine(.init()))
        guard case .quarantine(let list) = try admin.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.isEmpty)
        try admin.send(.cancel(CancelRequest(job: .jobID(jobs[1]))))
        guard case .cancelled = try admin.receiveAnswer(),
            case .cancelled(let told) = try bob.receiveAnswer()
        else { throw Silence() }
        #expect(told.reason == .administrator)
    }

    @Test func adminsDecideAboutQuarantine() throws {
        let ring = try KeyRing()
        let bench = try ring.bench {
            $0.queueLimits.deathsPerJob = 1
            $0.missedHeartbeatsAllowed = 5
        }
        let alice = try bench.client(security: ring.add("alice", .client))
        let admin = try bench.client(security: ring.add("root", .admin))
        let key = try ring.add("mill", .worker)
        try alice.send(.make("killer"))
        let id = try alice.accepted().jobID
        let victim = try bench.worker("victim", security: key)
        try victim.join()
        _ = try victim.lease()
        #expect(try alice.failure().code == .quarantined)
        try admin.send(.inspectQuarantine(.init(jobID: id)))
        guard case .quarantine(let found) = try admin.receiveAnswer() else { throw Silence() }
        #expect(found.jobs.map(\.job.client) == ["alice"])
        try admin.send(.releaseQuarantine(.init(jobID: id)))
        guard case .quarantine(let released) = try admin.receiveAnswer() else { throw Silence() }
        #expect(released.jobs.map(\.job.state) == [.queued])
    }

    @Test func strangersHearNothing() throws {
        let ring = try KeyRing()
        let friend = try ring.add("alice", .client)
        let bench = try ring.bench()
        let stranger = try bench.client(security: ring.stranger())
        let plain = try bench.client()
        let worker = try bench.worker("stranger", security: ring.stranger())
        try stranger.send(.make("a"))
        try plain.send(.make("a"))
        try worker.register()
        #expect(try stranger.hearsNothing() && plain.hearsNothing())
        #expect(try worker.socket.next(seconds: 0.4) == nil)
        let client = try bench.client(security: friend)
        try client.send(.getStatus)
        guard case .status(let status) = try client.receiveAnswer() else { throw Silence() }
        #expect(status.queued == 0 && status.workers.isEmpty)
    }

    @Test func refusedKeysAreCounted() async throws {
        let ring = try KeyRing()
        let bench = try ring.bench()
        let stranger = try bench.client(security: ring.stranger())
        try stranger.send(.getStatus)
        var refused: UInt64 = 0
        for _ in 0..<200 where refused == 0 {
            refused = await bench.broker.board.fresh()?.sockets.refusedKeys ?? 0
        }
        #expect(refused > 0)
        #expect(try stranger.hearsNothing(seconds: 0.1))
    }

    @Test func aWithdrawnKeyIsRefusedAtOnceOnOpenConnections() throws {
        let ring = try KeyRing()
        let aliceKey = try ring.add("alice", .client)
        let bench = try ring.bench()
        let alice = try bench.client(security: aliceKey)
        try alice.send(.make("before", detached: true))
        _ = try alice.accepted()
        try ring.revoke("alice")
        let isRefused = try eventually {
            try alice.send(.make("after", detached: true))
            if case .failed(let failed) = try alice.receiveAnswer() { return failed.error.code }
            return nil
        }
        #expect(isRefused == .notAuthorized)
        let again = try bench.client(security: aliceKey)
        try again.send(.getStatus)
        #expect(try again.hearsNothing())
    }

    @Test func aWithdrawnWorkersJobGoesElsewhere() throws {
        let ring = try KeyRing()
        let lost = try ring.add("lost", .worker)
        let kept = try ring.add("kept", .worker)
        let bench = try ring.bench { $0.missedHeartbeatsAllowed = 5 }
        let client = try bench.client(security: ring.add("alice", .client))
        let first = try bench.worker("first", security: lost)
        try first.join()
        try client.send(.make("a"))
        _ = try client.accepted()
        let grant = try first.lease()
        try ring.revoke("lost")
        let isRefused = try first.hears(within: 20) {
            if case .refused(let refused) = $0 { return refused.error.code == .notAuthorized }
            return false
        }
        #expect(isRefused)
        let second = try bench.worker("second", security: kept)
        try second.join()
        let again = try second.lease()
        #expect(again.lease == LeaseReference(jobID: grant.lease.jobID, attempt: 2))
        try second.complete(again)
        #expect(try client.completed().worker == "second")
    }
}
