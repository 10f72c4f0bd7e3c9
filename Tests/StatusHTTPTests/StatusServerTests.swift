// The server over real sockets.
import Foundation
import QueueCore
import StatusHTTP
import Synchronization
import Testing

typealias StatusServerUnderTest = StatusServer

@Suite struct StatusServerTests {
    static let token = "0123456789abcdef0123"

    static func server(
        token: String? = nil, address: String = "127.0.0.1:0",
        adjust: (inout StatusConfiguration) -> Void = { _ in },
        source: @escaping @Sendable () -> StatusSource = { SampleStatus.source() }
    ) throws -> StatusServer {
        var configuration = try StatusConfiguration(address: address, token: token)
        adjust(&configuration)
        return StatusServer(configuration: configuration, source: source)
    }

    @Test func pagesHaveTheirTypes() async throws {
        let types = [
            "/": "text/html; charset=utf-8", "/status": "application/json",
            "/metrics": "text/plain; version=0.0.4; charset=utf-8",
            "/healthz": "text/plain; charset=utf-8", "/readyz": "text/plain; charset=utf-8",
            "/jobs/30/thumbnail": "image/png",
        ]
        try await RawHTTP.withServer(try Self.server()) { port async throws in
            for (path, type) in types {
                let answer = try await RawHTTP.send("GET", path, port: port)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.headers["content-type"] == type, "\(path)")
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(
                    answer.headers["content-security-policy"]?.hasPrefix("default-src 'none'")
                        == true)
                #expect(answer.headers["content-length"] == "\(answer.body.count)", "\(path)")

                let head = try await RawHTTP.send("HEAD", path, port: port)
                #expect(head.status == 200 && head.body.isEmpty, "\(path)")
                #expect(
                    head.headers["content-length"] == answer.headers["content-length"]
                        || path == "/", "\(path)")
            }
        }
    }

    @Test func otherPathsMethodsAndBodiesAreRefused() async throws {
        try await RawHTTP.withServer(try Self.server()) { port async throws in
            for path in [
                "/x", "/status/", "/jobs/-1/thumbnail", "/jobs/1/thumbnail/",
                "/jobs/1000/thumbnail",
                "/jobs/99999999999999999999999/thumbnail", "/../etc/passwd", "//",
            ] {
                #expect(try await RawHTTP.send("GET", path, port: port).status == 404, "\(path)")
            }
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
                let answer = try await RawHTTP.send(method, "/status", port: port)
                #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD")
            }
            let headers = ["Content-Length": "5"]
            let answer = try await RawHTTP.send(
                "GET", "/status", port: port, headers: headers, body: "hello")
            #expect(answer.status == 413 && answer.headers["connection"] == "close")
        }
    }

    @Test func hugeHeadersAndGarbageEndTheConnection() async throws {
        try await RawHTTP.withServer(try Self.server()) { port async throws in
            let long = ["X-Long": String(repeating: "a", count: 40_000)]
            let answer = try? await RawHTTP.send("GET", "/healthz", port: port, headers: long)
            #expect(answer.map { (400..<500).contains($0.status) } ?? true)
            let garbage = try? await RawHTTP.exchange("\u{1}\u{2}\r\n\r\n", port: port)
            #expect(garbage.map { $0.status == 400 } ?? true)
            #expect(try await RawHTTP.send("GET", "/healthz", port: port).status == 200)
        }
    }

    @Test func aTokenGuardsAllButTheProbes() async throws {
        try await RawHTTP.withServer(try Self.server(token: Self.token)) { port async throws in
            for path in ["/", "/status", "/metrics", "/jobs/30/thumbnail"] {
                let answer = try await RawHTTP.send("GET", path, port: port)
                #expect(answer.status == 401)
                #expect(answer.headers["www-authenticate"]?.hasPrefix("Basic") == true)
                #expect(!answer.text.contains("fox"))
            }
            for path in ["/healthz", "/readyz"] {
                #expect(try await RawHTTP.send("GET", path, port: port).status == 200)
            }
            let basic = Data("anyone:\(Self.token)".utf8).base64EncodedString()
            let rows = [
                ("Bearer \(Self.token)", 200), ("bearer \(Self.token)", 200),
                ("Basic \(basic)", 200), ("Bearer \(Self.token)x", 401), ("Bearer ", 401),
                ("Bearer \(Self.token.dropLast())", 401), ("Basic %%%", 401), (Self.token, 401),
            ]
            for (value, status) in rows {
                let headers = ["Authorization": value]
                let answer = try await RawHTTP.send("GET", "/status", port: port, headers: headers)
                #expect(answer.status == status, "\(value)")
            }
        }
    }

    @Test func foreignHostNamesAreRefusedOnLoopback() async throws {
        let server = try Self.server(adjust: { $0.hostNames = ["turbine.example"] })
        try await RawHTTP.withServer(server) { port async throws in
            let rows = [
                ("localhost", 200), ("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:80", 200),
                ("turbine.example", 200), ("evil.example", 421), ("127.0.0.1.evil.example:80", 421),
                ("127.evil.example.1", 421),
            ]
            for (host, status) in rows {
                let headers = ["Host": host]
                let answer = try await RawHTTP.send("GET", "/status", port: port, headers: headers)
                #expect(answer.status == status, "\(host)")
            }
        }
    }

    @Test(arguments: [
        (true, 0, "", 200), (false, 0, "", 503), (true, 11, "", 503), (true, 9, "", 200),
        (true, 0, "?workers=2", 200), (true, 0, "?workers=3", 503), (true, 0, "?workers=x", 400),
    ])
    func readiness(
        isJournalAvailable: Bool, silence: Int, query: String, status: Int
    ) async throws {
        let server = try Self.server(source: {
            SampleStatus.source(silence: .seconds(Int64(silence))) {
                $0.isJournalAvailable = isJournalAvailable
                // How long ago somebody last looked says nothing of the broker.
                $0.at = SampleStatus.now + .seconds(-3600)
            }
        })
        try await RawHTTP.withServer(server) { port async throws in
            #expect(try await RawHTTP.send("GET", "/readyz\(query)", port: port).status == status)
            #expect(try await RawHTTP.send("GET", "/healthz", port: port).status == 200)
        }
    }

    @Test func aLoopThatStandsStillForAMinuteIsNotAlive() async throws {
        let silence = Atomic<Int>(59)
        let server = try Self.server(source: {
            SampleStatus.source(silence: .seconds(Int64(silence.load(ordering: .relaxed))))
        })
        try await RawHTTP.withServer(server) { port async throws in
            #expect(try await RawHTTP.send("GET", "/healthz", port: port).status == 200)
            silence.store(61, ordering: .relaxed)
            let answer = try await RawHTTP.send("GET", "/healthz", port: port)
            #expect(answer.status == 503 && answer.text.contains("61 s"))
        }
    }

    @Test func withheldPromptsAppearNowhere() async throws {
        let server = try Self.server(adjust: { $0.showsPrompts = false })
        try await RawHTTP.withServer(server) { port async throws in
            for path in ["/", "/status"] {
                let answer = try await RawHTTP.send("GET", path, port: port)
                #expect(answer.status == 200 && !answer.text.contains("lighthouse"))
                #expect(!answer.text.contains("/thumbnail"))
            }
            #expect(try await RawHTTP.send("GET", "/jobs/30/thumbnail", port: port).status == 404)
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        let server = try Self.server(adjust: { $0.idleSeconds = 1 })
        try await RawHTTP.withServer(server) { port async throws in
            let start = ContinuousClock.now
            let answer = try? await RawHTTP.exchange("GET /healthz HTTP/1.1\r\nHost: ", port: port)
            #expect(answer == nil || answer?.status == 408 || answer?.status == 400)
            #expect(ContinuousClock.now - start < .seconds(15))
        }
    }

    @Test func aTakenPortIsAnError() async throws {
        let first = try Self.server()
        try await RawHTTP.withServer(first) { port async throws in
            let second = try Self.server(address: "127.0.0.1:\(port)")
            let error = await #expect(throws: StatusHTTPError.self) { try await second.start() }
            #expect(error?.code == .bindFailed)
            #expect(error?.description.contains("127.0.0.1:\(port)") == true)
        }
    }

    @Test func stopFreesThePortAndEndsConnections() async throws {
        let server = try Self.server()
        let port = try await server.start()
        #expect(try await RawHTTP.send("GET", "/healthz", port: port).status == 200)
        async let open = RawHTTP.exchange("GET /healthz HTTP/1.1\r\nHost: x", port: port)
        try await Task.sleep(for: .milliseconds(200))
        await server.stop()
        _ = try? await open
        await #expect(throws: (any Error).self) {
            try await RawHTTP.send("GET", "/healthz", port: port)
        }
        let again = try Self.server(address: "127.0.0.1:\(port)")
        #expect(try await again.start() == port)
        await again.stop()
    }
}
