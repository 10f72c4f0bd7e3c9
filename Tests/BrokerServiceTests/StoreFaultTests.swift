// A store that is full, locked, damaged or not ours: nothing is acknowledged falsely, what runs can
// end where there is any room for it, and everything goes on when the fault is over.

import Foundation
import Testing
import WireProtocol

@testable import BrokerService
@testable import JobStore

@Suite(.serialized) struct StoreFaultTests {
    private static let long = String(repeating: "x", count: 60_000)

    /// Submits until the store takes no more; returns the ids of what it took.
    private func fill(
        _ client: StubClient, _ name: String = "big", prompt: String = long
    ) throws -> [UInt64] {
        var accepted: [UInt64] = []
        for number in 0..<1000 {
            try client.send(.make("\(name)\(number)", prompt: prompt, detached: true))
            switch try client.receiveAnswer() {
            case .accepted(let reply): accepted.append(reply.jobID)
            case .failed(let failed):
                #expect(failed.error.code == .storageUnavailable && failed.error.retryable)
                #expect(failed.error.retryAfterMilliseconds ?? 0 > 0)
                return accepted
            case let other:
                Issue.record("\(other)")
                throw Silence()
            }
        }
        Issue.record("the store has no end")
        return accepted
    }

    private func status(_ client: StubClient) throws -> ServiceStatus {
        try client.send(.getStatus)
        guard case .status(let status) = try client.receiveAnswer() else { throw Silence() }
        return status
    }

    /// Cancels a job, for as long as it takes the broker to be able to.
    private func cancel(_ id: UInt64, _ client: StubClient) throws {
        let isDone = try eventually {
            let correlation = try client.send(.cancel(CancelRequest(job: .jobID(id))))
            while true {
                let message = try client.receive()
                guard message.correlation == correlation else { continue }
                if case .cancelled = message.reply { return true }
                return Bool?.none
            }
        }
        #expect(isDone == true)
    }

    /// Sends a result as a worker does: again after each reconnection, until it is acknowledged.
    private func hasResultTaken(
        _ worker: StubWorker, _ grant: LeaseGrant, bytes: Int, within seconds: Double
    ) throws -> Bool {
        worker.held = grant.lease
        let result = WorkerMessage.workCompleted(
            WorkCompleted(
                lease: grant.lease, images: [StubWorker.image(grant, 0, bytes: bytes)]))
        try worker.join()
        try worker.send(result)
        return try worker.hears(within: seconds) {
            switch $0 {
            case .acknowledged: return true
            case .goodbye:
                try worker.register()
                try worker.send(.ready(WorkerReady(warmUpSeconds: 0.1)))
                try worker.send(result)
                return false
            default: return false
            }
        }
    }

    @Test func aFullStoreForgetsNothing() throws {
        let bench = try Bench { $0.maximumStoreBytes = 512 << 10 }
        let client = try bench.client()
        let accepted = try fill(client)
        #expect(!accepted.isEmpty)
        try bench.crash()
        let again = try bench.client()
        try again.send(.listJobs(ListJobsRequest(limit: 100)))
        guard case .jobs(let list) = try again.receiveAnswer() else { throw Silence() }
        #expect(list.jobs.map(\.jobID) == accepted)
    }

    @Test func aFullStoreLeavesRoomForEndings() async throws {
        let bench = try Bench { $0.maximumStoreBytes = 1 << 20 }
        let worker = try bench.worker()
        try worker.join()
        let client = try bench.client()
        try client.send(.make("running"))
        _ = try client.accepted()
        let grant = try worker.lease()
        let other = try bench.client()
        let accepted = try fill(other)
        // Short ones go on for a while: the status speaks of these.
        _ = try fill(other, "small", prompt: "a fox")
        #expect(try status(other).accepting == false)
        // What was asked before is still known, steps and results are taken, jobs are cancelled.
        try other.send(.make("big0", prompt: Self.long, detached: true))
        #expect(try other.accepted().alreadyKnown)
        try worker.report(grant, step: 1)
        try worker.complete(grant, bytes: 100_000)
        #expect(try client.completed().images.first?.png.count == 100_000)
        for id in accepted.suffix(4) { try cancel(id, other) }
        #expect(try status(other).accepting)
        try client.send(.make("new", prompt: Self.long, detached: true))
        #expect(try client.accepted().requestID == "new")
        let board = try #require(await bench.broker.board.fresh(within: .seconds(20)))
        #expect(board.journal.failures == 0 && board.queue.isJournalAvailable)
        #expect(board.queue.counters.refusals.reduce(0, +) > 0)
    }

    @Test func aResultThatDoesNotFitWaitsForRoom() throws {
        let bench = try Bench { $0.maximumStoreBytes = 1 << 20 }
        let worker = try bench.worker()
        try worker.join()
        let client = try bench.client()
        try client.send(.make("large"))
        _ = try client.accepted()
        let grant = try worker.lease()
        let other = try bench.client()
        let accepted = try fill(other)
        func isTaken(within seconds: Double) throws -> Bool {
            try hasResultTaken(worker, grant, bytes: 600_000, within: seconds)
        }
        #expect(try isTaken(within: 1) == false, "600 kB do not fit")
        for id in accepted { try cancel(id, other) }
        #expect(try eventually { try isTaken(within: 2) ? true : nil } == true)
        let completed = try client.completed()
        #expect(completed.requestID == "large" && completed.attempts == 1)
        #expect(completed.images.first?.png.count == 600_000)
    }

    private static let smallDisk = ProcessInfo.processInfo.environment["TURBINE_SMALL_DISK"]

    /// The same with a file system that is really full: for a folder on one of about 100 MiB.
    @Test(.enabled(if: smallDisk != nil, "TURBINE_SMALL_DISK names no folder"))
    func aFullFileSystemLeavesRoomForEndings() throws {
        let disk = try #require(Self.smallDisk)
        let bench = try Bench(in: disk)
        let workers = [try bench.worker("one"), try bench.worker("two")]
        let client = try bench.client()
        for id in ["one", "two"] { try client.send(.make(id)) }
        for _ in 0..<2 { _ = try client.accepted() }
        for worker in workers { try worker.join() }
        let grants = [try workers[0].lease(), try workers[1].lease()]
        let other = try bench.client()
        #expect(try !fill(other).isEmpty)
        try workers[0].complete(grants[0], bytes: 5_000_000)
        #expect(try client.completed().images.first?.png.count == 5_000_000)
        // Another program takes what was kept.
        let ballast = disk + "/ballast"
        defer { unlink(ballast) }
        let descriptor = open(ballast, O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 1, count: 1 << 16)
        while write(descriptor, block, block.count) > 0 {}
        close(descriptor)
        try workers[1].beat()
        #expect(
            try hasResultTaken(workers[1], grants[1], bytes: 20_000_000, within: 1) == false)
        unlink(ballast)
        let isTaken = try eventually {
            try hasResultTaken(workers[1], grants[1], bytes: 20_000_000, within: 5) ? true : nil
        }
        #expect(isTaken == true)
        #expect(try client.completed().images.first?.png.count == 20_000_000)
    }

    @Test func followersGoOnAfterAFailedTransaction() throws {
        let bench = try Bench()
        let worker = try bench.worker()
        try worker.join()
        let client = try bench.client()
        try client.send(.make("kept"))
        _ = try client.accepted()
        let grant = try worker.lease()
        let other = try bench.client()
        // Another program has the database: the next transaction fails.
        try whileLocked(bench) {
            try other.send(.make("refused"))
            let error = try other.failure()
            #expect(error.code == .storageUnavailable && error.retryable)
            // Until it can write the broker says so, to everything that would have to be stored.
            try other.send(.make("refused"))
            #expect(try other.failure().code == .storageUnavailable)
            try other.send(.cancel(CancelRequest(job: .jobID(grant.lease.jobID))))
            #expect(try other.failure().code == .storageUnavailable)
            #expect(try status(other).accepting == false)
            try worker.report(grant, step: 1)
        }
        // The queue was rebuilt: the worker registers again, its job and follower are kept.
        let isAsked = try worker.hears(within: 20) {
            if case .goodbye = $0 { true } else { false }
        }
        #expect(isAsked)
        try worker.join()
        try worker.report(grant, step: 2)
        guard case .progress(let progress) = try client.receive().reply else { throw Silence() }
        #expect(progress.step == 2)
        try worker.complete(grant)
        let completed = try client.completed()
        #expect(completed.requestID == "kept" && completed.attempts == 1)
        // The refused request was not accepted behind anybody's back.
        try other.send(.make("refused"))
        let accepted = try other.accepted()
        #expect(!accepted.alreadyKnown && accepted.jobID == completed.jobID + 1)
    }

    /// Holds the database's write lock meanwhile, as another program would.
    private func whileLocked(_ bench: Bench, _ body: () throws -> Void) throws {
        let other = try StoreSchema.open(
            bench.folder + "/turbine.sqlite", options: JobStore.Options())
        try other.inDatabase { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            try body()
        }
        try other.close()
    }

    // MARK: Stores that a broker does not take

    /// The error that a broker on this folder ends with.
    private func refusal(_ folder: String) -> BrokerError? {
        var configuration = BrokerConfiguration(dataFolder: folder)
        configuration.clientEndpoint = "tcp://127.0.0.1:*"
        configuration.workerEndpoint = "tcp://127.0.0.1:*"
        do {
            let broker = try Broker(configuration)
            broker.stop()
            try? broker.wait()
            return nil
        } catch {
            return error
        }
    }

    private func makeFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-fault-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A folder with a store that has been used and closed.
    private func usedFolder() throws -> String {
        let folder = try makeFolder()
        #expect(refusal(folder) == nil)
        return folder
    }

    /// Does something with the rights of nobody, in this thread and those that it starts: root may
    /// write everywhere.
    private func asNobody<Value>(_ body: () -> Value) throws -> Value {
        typealias SetUser = @convention(c) (uid_t) -> CInt
        // In Linux's C library, but not in what Swift imports of it.
        let symbol = try #require(dlsym(nil, "setfsuid"))
        let setUser = unsafeBitCast(symbol, to: SetUser.self)
        let user = setUser(65534)
        defer { _ = setUser(uid_t(user)) }
        return body()
    }

    @Test func aReadOnlyFolderIsRefused() throws {
        for folder in [try makeFolder(), try usedFolder()] {
            defer { try? FileManager.default.removeItem(atPath: folder) }
            #expect(chmod(folder, 0o555) == 0)
            let error = try #require(try asNobody { refusal(folder) })
            #expect(error.code == .store && error.location.hasPrefix(folder), "\(error)")
            #expect(error.remedy.contains("writable"), "\(error)")
            #expect(chmod(folder, 0o755) == 0)
        }
    }

    @Test func aReadOnlyFileIsRefused() throws {
        let folder = try usedFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(chmod(folder, 0o777) == 0)
        #expect(chmod(folder + "/turbine.lock", 0o666) == 0)
        #expect(chmod(folder + "/turbine.sqlite", 0o444) == 0)
        let error = try #require(try asNobody { refusal(folder) })
        #expect(error.code == .store && error.remedy.contains("writable"), "\(error)")
    }

    @Test func aDamagedFileIsRefused() throws {
        let folder = try usedFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/turbine.sqlite"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let damages: [(Int, Data)] = [
            (0, Data(repeating: 0x41, count: 4096)), (100, Data(repeating: 0xff, count: 600)),
            (4096, Data(repeating: 0xa5, count: whole.count - 4096)),
        ]
        for (offset, bytes) in damages {
            var damaged = whole
            damaged.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            try damaged.write(to: URL(fileURLWithPath: path))
            let error = try #require(refusal(folder), "damage at \(offset)")
            #expect(error.code == .store && error.location == path, "\(error)")
            #expect(error.remedy.contains("backup"), "\(error)")
        }
        try whole.write(to: URL(fileURLWithPath: path))
        #expect(refusal(folder) == nil)
    }

    @Test func aNewerSchemaIsRefused() throws {
        let folder = try usedFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/turbine.sqlite"
        let database = try StoreSchema.open(path, options: JobStore.Options())
        try database.inDatabase { try $0.execute(sql: "PRAGMA user_version = 99") }
        try database.close()
        let error = try #require(refusal(folder))
        #expect(error.code == .store && error.location == path)
        #expect(error.what.contains("99") && error.remedy.contains("newer"), "\(error)")
    }

    @Test func aSecondBrokerOnTheFolderIsRefused() throws {
        let bench = try Bench()
        let error = try #require(refusal(bench.folder))
        #expect(error.code == .store && error.what.contains("another broker"), "\(error)")
        #expect(error.location.hasPrefix(bench.folder))
        // The first is not disturbed.
        let client = try bench.client()
        try client.send(.make("a", detached: true))
        #expect(try client.accepted().jobID == 1)
    }
}
