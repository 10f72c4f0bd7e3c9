// HTTP by hand over a socket, so that tests see the bytes and can send what no library would.
import Foundation

enum RawHTTP {
    struct Answer {
        var status = 0
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Failure: Error {
        let what: String
    }

    /// Sends one request and reads until the server closes the connection.
    static func send(
        _ method: String, _ path: String, port: Int, headers: [String: String] = [:],
        body: String = ""
    ) async throws -> Answer {
        var head = ["Host": "127.0.0.1:\(port)", "Connection": "close"]
        head.merge(headers) { _, new in new }
        let lines = head.map { "\($0.key): \($0.value)\r\n" }.sorted().joined()
        return try await exchange("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n\(body)", port: port)
    }

    static func exchange(_ request: String, port: Int) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try parse(bytes(request, port: port)) })
            }
        }
    }

    private static func bytes(_ request: String, port: Int) throws -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, size) == 0
            }
        }
        guard isConnected else { throw Failure(what: "connect: \(errno)") }
        let out = Array(request.utf8)
        guard Glibc.send(descriptor, out, out.count, Int32(MSG_NOSIGNAL)) == out.count
        else { throw Failure(what: "send: \(errno)") }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return received }
            received += buffer[..<count]
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let separator = Array("\r\n\r\n".utf8)
        guard
            let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) })
        else { throw Failure(what: "no head in \(bytes.count) bytes") }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        var answer = Answer()
        answer.status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count == 2 ? parts[1] : ""
            answer.headers[parts[0].lowercased()] = value.trimmingCharacters(in: .whitespaces)
        }
        answer.body = Array(bytes[(end + 4)...])
        return answer
    }

    /// Runs a test against a server on a port of the system's choice.
    static func withServer(
        _ server: StatusServerUnderTest, _ test: (Int) async throws -> Void
    ) async throws {
        let port = try await server.start()
        do { try await test(port) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}
