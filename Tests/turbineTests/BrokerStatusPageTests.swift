// Broker, worker, client and status page in one process: what a reader sees of finished jobs.
import BrokerService
import Foundation
import ImagePipeline
import QueueCore
import StatusHTTP
import Testing
import TurbineClient
import WireProtocol

@testable import turbine

@Suite(.serialized) struct BrokerStatusPageTests {
    /// A broker with its page, to be asked over HTTP.
    private struct Service {
        let broker: Broker
        let page: BrokerStatusPage

        init(_ folder: String, token: String? = nil, resultBytes: Int? = nil) throws {
            var configuration = BrokerConfiguration(dataFolder: folder)
            configuration.clientEndpoint = "tcp://127.0.0.1:*"
            configuration.workerEndpoint = "tcp://127.0.0.1:*"
            if let resultBytes { configuration.queueLimits.resultBytes = Int64(resultBytes) }
            broker = try Broker(configuration)
            page = try BrokerStatusPage(
                broker, dataFolder: folder,
                configuration: StatusConfiguration(address: "127.0.0.1:0", token: token))
        }

        func get(_ path: String, token: String? = nil) async throws -> (code: Int, body: [UInt8]) {
            let port = try #require(page.address.split(separator: ":").last.flatMap { UInt16($0) })
            return try await PlainHTTP.get(path, port: port, token: token)
        }

        /// Asks until an answer is as it should be: the page may be a moment behind.
        func get(
            _ path: String, token: String? = nil, until isRight: (String) -> Bool
        ) async throws -> String {
            var text = ""
            for _ in 0..<600 {
                text = String(decoding: try await get(path, token: token).body, as: UTF8.self)
                if isRight(text) { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            return text
        }

        func paint(_ prompt: String, side: UInt32 = 320) async throws {
            let client = try TurbineClient(options: ClientOptions(broker: broker.clientEndpoint))
            defer { client.close() }
            var request = WireProtocol.GenerationRequest(text: .prompt(prompt))
            (request.width, request.height, request.steps) = (side, side, 1)
            _ = try await client.complete(GenerateRequest(request: request))
        }

        func stop() throws {
            page.server.stopAndWait()
            broker.stop()
            try broker.wait()
        }
    }

    private func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-page-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func aFinishedJobHasAPictureAndItsPrompt() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let service = try Service(folder)
        let shop = PaintShop(broker: service.broker.workerEndpoint)
        try await service.paint("a <b>blue</b> fox")
        await #expect(throws: (any Error).self) { try await service.paint("impossible") }

        let page = try await service.get("/") { $0.contains("it cannot be painted") }
        #expect(page.contains("a &lt;b&gt;blue&lt;/b&gt; fox") && !page.contains("<b>blue</b>"))
        #expect(page.contains("320×320") && page.contains("src=\"/jobs/1/thumbnail\""))
        #expect(page.contains("impossible"), "a job that failed shows what it was about, too")
        #expect(!page.contains("jobs/2/thumbnail") && page.contains("it cannot be painted"))

        let picture = try await service.get("/jobs/1/thumbnail")
        let image = try PNGDecoder().decode(picture.body)
        #expect(image.width == 160 && image.height == 160 && image.text.isEmpty)
        #expect(image.pixels.allSatisfy { $0 == 200 })
        for path in ["/jobs/2/thumbnail", "/jobs/3/thumbnail"] {
            #expect(try await service.get(path).code == 404, "\(path)")
        }
        try await shop.stop()
        try service.stop()

        // After a restart the picture still knows what it shows.
        let again = try Service(folder)
        #expect(try await again.get("/jobs/1/thumbnail").body == picture.body)
        let text = String(decoding: try await again.get("/status").body, as: UTF8.self)
        #expect(text.contains("\"prompt\":\"a <b>blue</b> fox\""))
        try again.stop()
    }

    @Test func anExpiredResultHasNoPicture() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Room for one result and a half: the second one ends the first.
        let size = try Painter.png(of: "short-lived", width: 1024, height: 1024).count
        let service = try Service(folder, resultBytes: size * 3 / 2)
        let shop = PaintShop(broker: service.broker.workerEndpoint)
        try await service.paint("short-lived", side: 1024)
        _ = try await service.get("/") { $0.contains("/jobs/1/thumbnail") }
        #expect(try await service.get("/jobs/1/thumbnail").code == 200)
        try await service.paint("the next one", side: 1024)
        var isGone = false
        for _ in 0..<600 where !isGone {
            try await Task.sleep(for: .milliseconds(100))
            isGone = try await service.get("/jobs/1/thumbnail").code == 404
        }
        #expect(isGone)
        try await shop.stop()
        try service.stop()
    }

    @Test func aTokenGuardsPictures() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let token = "0123456789abcdef0123"
        let service = try Service(folder, token: token)
        let shop = PaintShop(broker: service.broker.workerEndpoint)
        try await service.paint("secret")
        _ = try await service.get("/", token: token) { $0.contains("/jobs/1/thumbnail") }
        #expect(try await service.get("/jobs/1/thumbnail").code == 401)
        #expect(try await service.get("/jobs/1/thumbnail", token: token).code == 200)
        try await shop.stop()
        try service.stop()
    }

    @Test func aReaderWhoComesRarelySeesTheStateOfNow() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let service = try Service(folder)
        // The state of the last visit would be too old at every visit; on a machine that stands
        // still for a second, the page may have to do with it once.
        var isFresh = false
        for _ in 0..<10 where !isFresh {
            _ = try await service.get("/status")
            let visit = ContinuousClock.now
            try await Task.sleep(for: .seconds(2))
            let pause = (ContinuousClock.now - visit) / .seconds(1)
            let data = try await service.get("/metrics").body
            let line = try #require(
                String(decoding: data, as: UTF8.self).split(separator: "\n")
                    .first { $0.hasPrefix("turbine_snapshot_age_seconds ") })
            isFresh = try #require(Double(line.split(separator: " ")[1])) < pause
        }
        #expect(isFresh, "the state of the reader's last visit is no answer")
        #expect(try await service.get("/healthz").code == 200)
        try service.stop()
    }

    @Test func aStoppedBrokerIsNotReady() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let service = try Service(folder)
        #expect(try await service.get("/readyz").code == 200)
        service.broker.stop()
        try service.broker.wait()
        var code = 0
        for _ in 0..<120 where code != 503 {
            try await Task.sleep(for: .milliseconds(250))
            code = try await service.get("/readyz").code
        }
        #expect(code == 503, "a loop that turns no more answers nobody")
        service.page.server.stopAndWait()
    }
}
