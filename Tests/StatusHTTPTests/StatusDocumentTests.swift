// The JSON of /status.
import Foundation
import QueueCore
import Testing

@testable import StatusHTTP

@Suite struct StatusDocumentTests {
    private func json(_ source: StatusSource = SampleStatus.source()) async throws
        -> [String: Any]
    {
        var object: [String: Any] = [:]
        let server = try StatusServerTests.server(source: { source })
        try await RawHTTP.withServer(server) { port async throws in
            let answer = try await RawHTTP.send("GET", "/status", port: port)
            let value = try JSONSerialization.jsonObject(with: Data(answer.body))
            object = try #require(value as? [String: Any])
        }
        return object
    }

    @Test func fieldsAreStable() async throws {
        let object = try await json()
        #expect(
            object.keys.sorted() == [
                "at", "broker", "formatVersion", "jobs", "quarantined", "recent", "running",
                "waiting",
                "workers",
            ])
        let jobs = try #require(object["jobs"] as? [String: Any])
        #expect(jobs["waiting"] as? Int == 123 && jobs["running"] as? Int == 2)
        #expect(
            jobs["waitingByPriority"] as? [String: Int] == ["high": 1, "normal": 118, "low": 4])
        #expect(jobs["oldestWaitSeconds"] as? Double == 41)
        #expect((jobs["ended"] as? [String: Int])?["completed"] == 12_301)
        #expect(jobs["refused"] as? [String: Int] == ["queueFull": 17])
        let broker = try #require(object["broker"] as? [String: Any])
        #expect(broker["isReady"] as? Bool == true && broker["droppedMessages"] as? Int == 5)
        #expect(broker["version"] as? String == "1.2.3")
        let workers = try #require(object["workers"] as? [[String: Any]])
        #expect(workers.compactMap { $0["state"] as? String } == ["ready", "ready", "draining"])
        let rate = try #require(workers[0]["stepsPerSecond"] as? Double)
        #expect(abs(rate - 8 / 2.4) < 1e-3)
        #expect(workers[2]["stepsPerSecond"] == nil)
    }

    @Test func jobsHaveWhatIsKnown() async throws {
        let object = try await json()
        let running = try #require(object["running"] as? [[String: Any]])
        #expect(running.compactMap { $0["id"] as? Int } == [39, 40])
        #expect(running[0]["state"] as? String == "running" && running[0]["step"] as? Int == 5)
        #expect(running[0]["steps"] as? Int == 16)
        let recent = try #require(object["recent"] as? [[String: Any]])
        #expect(recent.compactMap { $0["id"] as? Int } == Array((30...38).reversed()))
        let failed = try #require(recent.first { $0["id"] as? Int == 35 })
        #expect(failed["state"] as? String == "errorsExhausted" && failed["thumbnail"] == nil)
        #expect((failed["message"] as? String)?.contains("<b>use</b>") == true)
        let waiting = try #require(object["waiting"] as? [[String: Any]])
        #expect(waiting.last?["hold"] as? String == "modelNotLoaded")
    }

    @Test func theDocumentDecodesAsItself() throws {
        let configuration = try StatusConfiguration(address: "0")
        let document = StatusDocument(SampleStatus.source(), configuration: configuration)
        let data = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(StatusDocument.self, from: data) == document)
    }

    @Test func anEmptyQueueHasNoWaits() throws {
        let queue = JobQueue().snapshot()
        let facts = ProcessFacts(version: "0", now: queue.at, uptime: .zero)
        let source = StatusSource(queue: queue, process: facts)
        #expect(source.oldestWait == nil && source.backlog == .zero)
    }

    @Test func theBacklogCountsJobsThatAreNotListed() {
        let source = SampleStatus.source()
        // The last listed estimate ends 12 s from now; 6 of 123 jobs are listed.
        #expect(abs((source.backlog?.seconds ?? 0) - 12 * 123 / 6) < 1e-3)
    }
}
