// Reading results while a broker writes.

import Foundation
import QueueCore
import Testing

@testable import JobStore

struct ResultReaderTests {
    @Test func itReadsWhatIsCommittedAndNoMore() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-reader-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reader = ResultReader(folder: folder)
        #expect(throws: JobStoreError.self) {
            try reader.bytes(of: BlobHandle(number: 1), limit: 10)
        }

        let store = try JobStore(folder: folder)
        let handle = store.makeHandle()
        #expect(try reader.bytes(of: handle, limit: 5000) == nil, "not committed yet")
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
        var turn = StoreTurn()
        turn.blobs[handle] = bytes
        try store.commit(turn)
        #expect(try reader.bytes(of: handle, limit: 5000) == bytes)
        #expect(try reader.bytes(of: handle, limit: 4999) == nil, "more than is wanted")

        turn = StoreTurn()
        turn.discarded = [handle]
        try store.commit(turn)
        #expect(try reader.bytes(of: handle, limit: 5000) == nil, "gone")
        try store.close()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!files.contains("turbine.sqlite-wal"), "nothing kept the store from closing")
    }
}
