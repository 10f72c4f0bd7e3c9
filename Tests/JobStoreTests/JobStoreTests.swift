// The store against its model, and against faults of files and disks.

import Foundation
import QueueCore
import Testing

@testable import JobStore

struct JobStoreTests {
    private static func folder() throws -> String {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url.path
    }

    private static func job(_ number: UInt64, payload: Int = 40) -> DurableJob {
        DurableJob(
            id: JobID(number: number), client: ClientID(name: "alice"),
            submission: Submission(
                request: RequestID(key: "r\(number)"), shape: JobShape(pixels: 65536, steps: 8),
                model: ModelID(hash: "abc"), priority: .low,
                deadline: Instant(microseconds: -5), isDetached: true,
                payload: [UInt8](repeating: 7, count: payload)),
            fingerprint: .max - number, acceptedAt: Instant(microseconds: 1_700_000_000_000_000),
            state: JobState())
    }

    private static func turn(_ entries: JournalEntry...) -> StoreTurn {
        var turn = StoreTurn()
        turn.entries = entries
        return turn
    }

    private static func randomState(
        _ random: inout SystemRandomNumberGenerator, blob: BlobHandle
    ) -> (state: JobState, usesBlob: Bool) {
        var state = JobState()
        state.attempt = .random(in: 0...UInt32.max, using: &random)
        state.errors = .random(in: 0...3, using: &random)
        state.deaths = .random(in: 0...3, using: &random)
        let models: [ModelID?] = [nil, ModelID(hash: "möd")]
        state.origin =
            Bool.random(using: &random)
            ? WorkOrigin(
                model: models.randomElement(using: &random) ?? nil,
                numericsClass: NumericsClass(name: "bf16/avx2")) : nil
        state.worker = Bool.random(using: &random) ? "wörker" : nil
        state.startedAt = Bool.random(using: &random) ? Instant(microseconds: .min) : nil
        state.endedAt = Bool.random(using: &random) ? Instant(microseconds: .max) : nil
        let phases: [JobPhase] = [
            .waiting, .leased, .expired,
            .quarantined(
                Quarantine(
                    deaths: 3, cause: .hung, worker: "w", since: Instant(microseconds: 9))),
            .ended(.completed(ResultSummary(blob: blob, byteCount: 12))),
            .ended(.failed(JobFailure(code: .permanentError, workerCode: "16", message: "no"))),
            .ended(.cancelled(.abandoned)),
        ]
        state.phase = phases.randomElement(using: &random) ?? .waiting
        if state.phase == .leased { state.resume = ResumePoint(step: 3, blob: blob) }
        if case .ended(.completed) = state.phase { return (state, true) }
        return (state, state.resume != nil)
    }

    @Test func equalsTheModelAfterRandomEntriesAndReopenings() throws {
        let folder = try Self.folder()
        var random = SystemRandomNumberGenerator()
        var model = JournalModel()
        var store: JobStore? = try JobStore(folder: folder)
        var last: UInt64 = 0
        for round in 0..<60 {
            var turn = StoreTurn()
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let known = UInt64.random(in: 0...last, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0, 1:
                    last += 1
                    turn.entries.append(.accepted(Self.job(last)))
                case 2:
                    let handle = try #require(store?.makeHandle())
                    let (state, usesBlob) = Self.randomState(&random, blob: handle)
                    if usesBlob { turn.blobs[handle] = [UInt8](repeating: 1, count: 100) }
                    turn.entries.append(.changed(JobID(number: known), state))
                default: turn.entries.append(.forgotten(JobID(number: known)))
                }
            }
            try #require(store).commit(turn)
            for entry in turn.entries { model.apply(entry) }
            if round.isMultiple(of: 7) {
                store = nil
                store = try JobStore(folder: folder)
            }
            #expect(try store?.snapshot() == model.snapshot)
        }
    }

    @Test func keepsBytesThatAreReferredToAndSweepsOthers() throws {
        let folder = try Self.folder()
        var store: JobStore? = try JobStore(folder: folder)
        let kept = try #require(store?.makeHandle())
        let stray = try #require(store?.makeHandle())
        var turn = Self.turn(.accepted(Self.job(1)), .accepted(Self.job(2)))
        var state = JobState()
        state.phase = .leased
        state.resume = ResumePoint(step: 1, blob: kept)
        turn.entries.append(.changed(JobID(number: 1), state))
        turn.blobs = [kept: [1, 2, 3], stray: [4]]
        turn.images = [StoredImage(job: JobID(number: 1), index: 0, bytes: [5])]
        try store?.commit(turn)
        #expect(try store?.blob(stray) == [4])
        store = nil
        store = try JobStore(folder: folder)
        #expect(try store?.blob(kept) == [1, 2, 3])
        #expect(try store?.blob(stray) == nil)
        #expect(try store?.images(of: JobID(number: 1)).map(\.bytes) == [[5]])
        #expect(try #require(store?.makeHandle()).number > kept.number)
        state.phase = .ended(.cancelled(.byOwner))
        state.resume = nil
        try store?.commit(Self.turn(.changed(JobID(number: 1), state)))
        #expect(try store?.images(of: JobID(number: 1)) == [])
    }

    @Test func aFreshStartDropsTheImages() throws {
        let store = try JobStore(folder: try Self.folder())
        var turn = Self.turn(.accepted(Self.job(1)))
        turn.images = [StoredImage(job: JobID(number: 1), index: 0, bytes: [5])]
        try store.commit(turn)
        try store.commit(Self.turn(.startedOver(JobID(number: 1), JobState())))
        #expect(try store.images(of: JobID(number: 1)) == [])
        #expect(try store.snapshot().jobs.map(\.state) == [JobState()])
    }

    /// Rows of programs that did not know of origins end where one would stand.
    @Test func readsStatesWithoutAnOrigin() throws {
        var state = JobState()
        state.phase = .leased
        state.attempt = 3
        state.resume = ResumePoint(step: 5, blob: BlobHandle(number: 300))
        state.worker = "w"
        state.startedAt = Instant(microseconds: 7)
        // Version 1, leased, attempt 3, no errors nor deaths, resume (5, 300), "w", 7, no end.
        let old: [UInt8] = [1, 1, 3, 0, 0, 1, 10, 0xac, 2, 1, 1, 0x77, 1, 14, 0]
        #expect(try JobState(encoded: old) == state)
        #expect(state.encoded == old + [0])
        state.origin = WorkOrigin(
            model: ModelID(hash: "m"), numericsClass: NumericsClass(name: "c"))
        #expect(try JobState(encoded: state.encoded) == state)
    }

    @Test func refusesASecondBroker() throws {
        let folder = try Self.folder()
        let first = try JobStore(folder: folder)
        #expect {
            _ = try JobStore(folder: folder)
        } throws: {
            ($0 as? JobStoreError)?.code == .inUse
        }
        #expect(try first.snapshot().jobs.isEmpty)
    }

    @Test func takesNothingOfATurnThatDoesNotFit() throws {
        let folder = try Self.folder()
        var options = JobStore.Options()
        options.maximumBytes = 256 << 10
        var store: JobStore? = try JobStore(folder: folder, options: options)
        try store?.commit(Self.turn(.accepted(Self.job(1))))
        let large = Self.turn(.accepted(Self.job(2)), .accepted(Self.job(3, payload: 1 << 20)))
        #expect {
            try store?.commit(large)
        } throws: {
            ($0 as? JobStoreError)?.code == .full
        }
        #expect(try store?.snapshot().jobs.map(\.id.number) == [1])
        #expect(try store?.snapshot().lastJob == 1)
        try store?.probe()
        try store?.commit(Self.turn(.accepted(Self.job(2))))
        store = nil
        #expect(try JobStore(folder: folder).snapshot().lastJob == 2)
    }

    @Test func saysHowMuchRoomNewJobsHave() throws {
        let folder = try Self.folder()
        var options = JobStore.Options()
        options.maximumBytes = 1 << 20
        let store = try JobStore(folder: folder, options: options)
        let atFirst = store.availableBytes
        #expect((600_000...786_432).contains(atFirst), "three quarters, less the tables")
        try store.commit(Self.turn(.accepted(Self.job(1, payload: 200_000))))
        let after = store.availableBytes
        #expect((atFirst - 220_000...atFirst - 180_000).contains(after))
        // The reserve is there for whatever is no new job.
        var turn = StoreTurn()
        turn.blobs = [store.makeHandle(): [UInt8](repeating: 1, count: Int(after) + 100_000)]
        try store.commit(turn)
        #expect(store.availableBytes < 0)
        try store.probe()
        turn = Self.turn(.forgotten(JobID(number: 1)))
        try store.commit(turn)
        #expect(store.availableBytes > 50_000)
        // A file system without room for the reserve takes no new job, either.
        options = JobStore.Options()
        options.reserveBytes = .max / 2
        let other = try JobStore(folder: try Self.folder(), options: options)
        #expect(other.availableBytes < 0)
    }

    @Test func refusesFilesThatAreNoStore() throws {
        let garbage = try Self.folder()
        try Data(repeating: 0x41, count: 9000).write(
            to: URL(fileURLWithPath: garbage + "/turbine.sqlite"))
        #expect {
            _ = try JobStore(folder: garbage)
        } throws: {
            ($0 as? JobStoreError)?.code == .corrupt
        }
        #expect {
            _ = try JobStore(folder: "/proc/turbine/none")
        } throws: {
            ($0 as? JobStoreError)?.code == .cannotOpen
        }
    }

    @Test func noticesDamage() throws {
        let folder = try Self.folder()
        var store: JobStore? = try JobStore(folder: folder)
        var turn = StoreTurn()
        for number in 1...500 { turn.entries.append(.accepted(Self.job(UInt64(number)))) }
        try store?.commit(turn)
        try store?.close()
        store = nil
        let path = folder + "/turbine.sqlite"
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: 12_288)
        try handle.write(contentsOf: Data(repeating: 0xa5, count: 12_288))
        try handle.close()
        #expect {
            _ = try JobStore(folder: folder)
        } throws: {
            ($0 as? JobStoreError)?.code == .corrupt
        }
    }

    @Test func refusesANewerVersion() throws {
        let folder = try Self.folder()
        let store = try JobStore(folder: folder)
        try store.database.inDatabase { try $0.execute(sql: "PRAGMA user_version = 99") }
        try store.close()
        #expect {
            _ = try StoreSchema.prepare(
                StoreSchema.open(store.path, options: JobStore.Options()), path: store.path)
        } throws: {
            ($0 as? JobStoreError)?.code == .unknownVersion
        }
    }

    @Test func anyBytesAreDecodedOrRefused() throws {
        var random = SystemRandomNumberGenerator()
        var refused = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<40, using: &random)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...9, using: &random) }
            if !bytes.isEmpty { bytes[0] = 1 }
            if (try? JobState(encoded: bytes)) == nil { refused += 1 }
            _ = try? Submission(request: "r", details: bytes, payload: [])
        }
        #expect(refused > 0)
    }
}
