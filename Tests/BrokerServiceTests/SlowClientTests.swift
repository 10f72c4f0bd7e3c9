// A client that asks and never reads: others are served, memory is bounded, drops are counted.

import Foundation
import Testing
import WireProtocol
import ZeroMQSockets

@testable import BrokerService

@Suite(.serialized) struct SlowClientTests {
    @Test func aClientThatNeverReadsHurtsOnlyItself() throws {
        let bench = try Bench {
            $0.repliesPerPeer = 200
            $0.replyBytesPerPeer = 1 << 20
            $0.resultBytesInFlightPerPeer = 8 << 20
        }
        let worker = try bench.worker()
        try worker.join()
        let client = try bench.client()
        try client.send(.make("large"))
        let id = try client.accepted().jobID
        try worker.complete(try worker.lease(), bytes: 1 << 20)
        _ = try client.completed()

        let slow = try StubClient(
            bench.socket(.dealer, bench.broker.clientEndpoint, receiveHighWaterMark: 1),
            isRequest: false)
        let before = ProcessMetrics.measure().residentBytes
        var highest: Int64 = 0
        for round in 0..<20 {
            // A hundred megabytes of results a round, and as many small answers.
            for _ in 0..<100 {
                try slow.send(.attach(AttachRequest(job: .jobID(id))))
                try slow.send(.listJobs(ListJobsRequest()))
            }
            try client.send(.make("other \(round)"))
            _ = try client.accepted()
            try worker.complete(try worker.lease())
            #expect(try client.completed().requestID == "other \(round)")
            highest = max(highest, ProcessMetrics.measure().residentBytes)
        }
        let growth = highest - before
        print("a client that does not read 2000 results of 1 MiB costs \(growth >> 20) MiB")
        #expect(growth < 128 << 20, "\(growth) bytes")
        let dropped = try eventually {
            try client.send(.getStatus)
            guard case .status(let status) = try client.receiveAnswer() else { throw Silence() }
            return status.droppedMessages > 0 ? status.droppedMessages : nil
        }
        #expect(dropped ?? 0 > 0)
        // When it reads at last it gets what was kept for it, and may ask again.
        var results = 0
        while let frame = try slow.socket.next(seconds: 1) {
            if case .completed = try ServerMessage(frame: frame).reply { results += 1 }
        }
        #expect(results > 0)
        try slow.send(.attach(AttachRequest(job: .jobID(id))))
        #expect(try slow.completed().images.first?.png.count == 1 << 20)
    }
}
