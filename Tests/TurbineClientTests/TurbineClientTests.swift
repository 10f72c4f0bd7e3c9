// The client library against a service that answers by script: order, loss, retries, cancellation.

import Foundation
import Testing
import WireProtocol

@testable import TurbineClient

@Suite struct TurbineClientTests {
    @Test func `a job is followed from accepted to completed`() async throws {
        let service = try FakeService { _, _ in wholeJob(7) }
        let client = try Self.client(service)
        var kinds: [String] = []
        for try await event in client.generate(request()) {
            switch event {
            case .accepted(let reply): kinds.append("accepted \(reply.jobID)")
            case .progress(let reply): kinds.append("step \(reply.step)")
            case .completed(let result): kinds.append("completed \(result.images[0].png)")
            case .failed, .cancelled: kinds.append("ended")
            }
        }
        #expect(kinds == ["accepted 7", "step 1", "step 2", "completed [9]"])
        guard case .generate(let sent) = try #require(service.received.first).request else {
            throw ClientError(.unexpectedReply, "no generate request was sent")
        }
        #expect(sent.requestID.count == 36)
    }

    @Test func `hundreds of jobs are under way at a time`() async throws {
        let service = try FakeService { message, _ in wholeJob(message.correlation) }
        let client = try Self.client(service)
        let seeds = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<500 {
                group.addTask { try await client.complete(request()).images[0].seed }
            }
            return try await group.reduce(into: Set<UInt64>()) { $0.insert($1) }
        }
        #expect(seeds.count == 500)
    }

    @Test func `a lost request is sent again unchanged`() async throws {
        let service = try FakeService { _, repetitions in repetitions < 2 ? [] : wholeJob(1) }
        let client = try Self.client(service, repetition: .milliseconds(200))
        #expect(try await client.complete(request(id: "mine")).jobID == 1)
        #expect(service.received.count == 3)
        #expect(Set(service.received.map(\.correlation)).count == 1)
    }

    @Test func `the answer to a repetition is no second acceptance`() async throws {
        let service = try FakeService { _, repetitions in
            repetitions < 2 ? [.accepted(JobAccepted(jobID: 1, state: .running))] : wholeJob(1)
        }
        let client = try Self.client(service, repetition: .milliseconds(200))
        var acceptances = 0
        for try await event in client.generate(request()) {
            if case .accepted = event { acceptances += 1 }
        }
        #expect(acceptances == 1)
    }

    @Test func `a service that comes back gets the request again`() async throws {
        var service: FakeService? = try FakeService { _, _ in
            [.accepted(JobAccepted(jobID: 1, state: .running))]
        }
        let endpoint = try #require(service?.endpoint)
        let client = try Self.client(try #require(service), repetition: .milliseconds(300))
        let events = client.generate(request(id: "mine"))
        var isAccepted = false
        for try await event in events {
            if case .accepted = event, service != nil {
                isAccepted = true
                service = nil
                service = try FakeService(endpoint: endpoint) { _, _ in wholeJob(1) }
            }
        }
        #expect(isAccepted)
        guard case .generate(let sent) = try #require(service?.received.first).request else {
            throw ClientError(.unexpectedReply, "no generate request was sent")
        }
        #expect(sent.requestID == "mine")
    }

    @Test func `a full queue is tried again`() async throws {
        let service = try FakeService { _, repetitions in
            guard repetitions < 3 else { return wholeJob(1) }
            let error = ServiceError(
                code: .queueFull, retryable: true, retryAfterMilliseconds: 50)
            return [.failed(JobFailed(jobID: 0, error: error))]
        }
        let client = try Self.client(service)
        #expect(try await client.complete(request()).jobID == 1)
        #expect(service.received.count == 4)
    }

    @Test func `a refusal is thrown with the server's words`() async throws {
        let fault = ServiceError(code: .invalidField, field: "width", sentence: "width is 7")
        let service = try FakeService { _, _ in [.failed(JobFailed(jobID: 0, error: fault))] }
        let client = try Self.client(service)
        let error = await #expect(throws: ClientError.self) {
            try await client.complete(request())
        }
        #expect(error?.serviceError == fault)
        #expect(error?.description == "width is 7")
        #expect(service.received.count == 1)
    }

    @Test func `silence ends in unreachable`() async throws {
        let service = try FakeService { _, _ in [] }
        let client = try Self.client(
            service, repetition: .milliseconds(100), patience: .milliseconds(500))
        let error = await #expect(throws: ClientError.self) { try await client.status() }
        #expect(error?.code == .unreachable)
    }

    @Test func `a request over the limits is not sent`() async throws {
        let service = try FakeService { _, _ in wholeJob(1) }
        let client = try Self.client(service)
        let prompt = String(repeating: "x", count: WireLimits.promptBytes + 1)
        let error = await #expect(throws: ClientError.self) {
            try await client.complete(request(prompt))
        }
        #expect(error?.code == .invalidRequest)
        #expect(service.received.isEmpty)
    }

    @Test(arguments: [false, true])
    func `who stops listening cancels the job unless it is detached`(
        _ isDetached: Bool
    ) async throws {
        let service = try FakeService { _, _ in
            [.accepted(JobAccepted(jobID: 1, state: .running))]
        }
        let client = try Self.client(service)
        var detached = request(id: "mine")
        detached.detachOnDisconnect = isDetached
        let job = detached
        let task = Task { try await client.complete(job) }
        try await Self.wait { service.received.count == 1 }
        task.cancel()
        _ = await task.result
        let cancellation = ClientMessage.Request.cancel(CancelRequest(job: .requestID("mine")))
        if isDetached {
            try await Task.sleep(for: .milliseconds(300))
            #expect(service.received.count == 1)
        } else {
            try await Self.wait { service.received.count == 2 }
            #expect(service.received.last?.request == cancellation)
        }
    }

    @Test func `one question has one answer`() async throws {
        let service = try FakeService { message, _ in
            switch message.request {
            case .getStatus: [.status(ServiceStatus(version: "1", queued: 3))]
            case .listJobs: [.jobs(JobList(jobs: [JobSummary(jobID: 4)], more: true))]
            case .cancel: [.cancelled(JobCancelled(jobID: 5))]
            case .listQuarantine, .inspectQuarantine, .releaseQuarantine:
                [.quarantine(QuarantineList(jobs: [QuarantinedJob(job: JobSummary(jobID: 6))]))]
            case .attach: wholeJob(8)
            case .generate: []
            }
        }
        let client = try Self.client(service)
        #expect(try await client.status().queued == 3)
        #expect(try await client.jobs().jobs.map(\.jobID) == [4])
        #expect(try await client.cancel(.jobID(5)).jobID == 5)
        #expect(try await client.quarantine().jobs.count == 1)
        #expect(try await client.inspectQuarantine(jobID: 6).jobs[0].job.jobID == 6)
        #expect(try await client.releaseQuarantine(jobID: 6, discard: true).jobs.count == 1)
        #expect(try await TurbineClient.result(of: client.attach(.jobID(8))).jobID == 8)
    }

    @Test func `a closed client says so`() async throws {
        let service = try FakeService { _, _ in [] }
        let client = try Self.client(service)
        let task = Task { try await client.status() }
        try await Self.wait { service.received.count == 1 }
        client.close()
        let error = await #expect(throws: ClientError.self) { try await task.value }
        #expect(error?.code == .closed)
        let later = await #expect(throws: ClientError.self) { try await client.status() }
        #expect(later?.code == .closed)
    }

    private static func client(
        _ service: FakeService, repetition: Duration = .seconds(10), patience: Duration? = nil
    ) throws -> TurbineClient {
        try TurbineClient(
            options: ClientOptions(
                broker: service.endpoint, repetition: repetition, patience: patience,
                retryPause: .milliseconds(50)))
    }

    private static func wait(until isTrue: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while !isTrue(), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
        try #require(isTrue())
    }
}
