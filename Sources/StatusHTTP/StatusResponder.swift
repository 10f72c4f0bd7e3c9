// Which request gets which answer. Five read-only pages need no router.
import Foundation
import Hummingbird
import QueueCore

/// Answers requests; holds no state of its own.
struct StatusResponder: Sendable {
    let configuration: StatusConfiguration
    let source: @Sendable () async -> StatusSource

    /// The answer to a request.
    func respond(to request: Request) async -> Response {
        var response = await answer(request)
        response.headers[values: "X-Content-Type-Options"] = "nosniff"
        response.headers[values: "Referrer-Policy"] = "no-referrer"
        response.headers[values: "Cross-Origin-Resource-Policy"] = "same-origin"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'"
        }
        if Self.hasBody(request) { response.headers[.connection] = "close" }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) async -> Response {
        if Self.hasBody(request) {
            return Self.text(.contentTooLarge, "Requests here have no body.")
        }
        guard let page = Page(path: request.uri.path) else {
            return Self.text(.notFound, "There is no such page.")
        }
        guard request.method == .get || request.method == .head else {
            var response = Self.text(.methodNotAllowed, "Pages here can only be read.")
            response.headers[.allow] = "GET, HEAD"
            return response
        }
        let host = request.head.authority ?? request.headers[values: "Host"]
        guard configuration.accepts(hostHeader: host) else {
            return Self.text(.misdirectedRequest, "This is not served under that host name.")
        }
        if !page.isOpen && !isAllowed(request) {
            var response = Self.text(.unauthorized, "A token is needed.")
            response.headers[.wwwAuthenticate] = "Basic realm=\"turbine\", charset=\"UTF-8\""
            return response
        }
        return await show(page, request)
    }

    private func show(_ page: Page, _ request: Request) async -> Response {
        switch page {
        case .health: return await health()
        case .ready: return await readiness(request)
        case .status: return await status()
        case .metrics:
            let text = MetricsText.make(await source(), configuration: configuration)
            return Self.content(text, type: "text/plain; version=0.0.4; charset=utf-8")
        case .overview:
            let document = StatusDocument(await source(), configuration: configuration)
            let page = StatusPage(document: document, nonce: Self.nonce())
            var response = Self.content(page.html, type: "text/html; charset=utf-8")
            response.headers[.contentSecurityPolicy] = page.securityPolicy
            return response
        case .thumbnail(let job): return await thumbnail(of: job)
        }
    }

    /// Alive: the loop turns. A start anew helps where it does not, so this asks for patience.
    private func health() async -> Response {
        let silence = await source().process.loopSilence.seconds
        guard silence <= configuration.stuckSeconds else {
            return Self.text(
                .serviceUnavailable, "The broker's loop has stood still for \(Int(silence)) s.")
        }
        return Self.text(.ok, "alive")
    }

    /// Ready: the journal can be written and the loop turns; `?workers=N` asks for workers, too.
    private func readiness(_ request: Request) async -> Response {
        let source = await source()
        guard source.queue.isJournalAvailable else {
            return Self.text(.serviceUnavailable, "The journal cannot be written.")
        }
        guard source.isReady(staleSeconds: configuration.staleSeconds) else {
            return Self.text(.serviceUnavailable, "The broker's loop stands still.")
        }
        guard let wanted = request.uri.queryParameters["workers"] else {
            return Self.text(.ok, "ready")
        }
        guard let count = Int(wanted), count >= 0 else {
            return Self.text(.badRequest, "workers: is no number.")
        }
        let ready = source.queue.workers.count { $0.state(at: source.queue.at) == .ready }
        return Self.text(
            ready >= count ? .ok : .serviceUnavailable, "\(ready) of \(count) workers are ready.")
    }

    private func status() async -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let document = StatusDocument(await source(), configuration: configuration)
        guard let data = try? encoder.encode(document) else {
            return Self.text(.internalServerError, "The status cannot be written as JSON.")
        }
        return Self.content(
            ByteBuffer(bytes: data), type: "application/json")
    }

    private func thumbnail(of job: JobID) async -> Response {
        let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        guard configuration.showsPrompts, let bytes = await source().thumbnail(job),
            bytes.starts(with: signature)
        else { return Self.text(.notFound, "There is no such thumbnail.") }
        var response = Self.content(ByteBuffer(bytes: bytes), type: "image/png")
        response.headers[.cacheControl] = "private, max-age=3600"
        return response
    }
}

extension StatusResponder {
    /// What can be asked for.
    private enum Page {
        case overview, status, metrics, health, ready
        case thumbnail(JobID)

        init?(path: String) {
            switch path {
            case "/": self = .overview
            case "/status": self = .status
            case "/metrics": self = .metrics
            case "/healthz": self = .health
            case "/readyz": self = .ready
            default:
                let parts = path.split(separator: "/", omittingEmptySubsequences: false)
                guard parts.count == 4, parts[0].isEmpty, parts[1] == "jobs",
                    parts[3] == "thumbnail", let number = UInt64(parts[2])
                else { return nil }
                self = .thumbnail(JobID(number: number))
            }
        }

        /// Whether it tells nothing that needs a token: probes carry none.
        var isOpen: Bool {
            switch self {
            case .health, .ready: true
            case .overview, .status, .metrics, .thumbnail: false
            }
        }
    }

    /// Whether a request presents the token, as a bearer or as a password of any user.
    private func isAllowed(_ request: Request) -> Bool {
        guard let token = configuration.token else { return true }
        guard let header = request.headers[.authorization] else { return false }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return false }
        switch parts[0].lowercased() {
        case "bearer": return Self.isEqual(parts[1].utf8, token.utf8)
        case "basic":
            guard let data = Data(base64Encoded: String(parts[1])),
                let colon = data.firstIndex(of: UInt8(ascii: ":"))
            else { return false }
            return Self.isEqual(data[(colon + 1)...], token.utf8)
        default: return false
        }
    }

    /// Compares in a time that tells nothing about where the first difference is.
    private static func isEqual(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>)
        -> Bool
    {
        let (left, right) = (Array(left), Array(right))
        var difference = left.count ^ right.count
        for (index, byte) in right.enumerated() {
            difference |= Int(byte ^ (index < left.count ? left[index] : 0))
        }
        return difference == 0
    }

    private static func hasBody(_ request: Request) -> Bool {
        if request.headers[values: "Transfer-Encoding"] != nil { return true }
        return request.headers[.contentLength].map { $0 != "0" } ?? false
    }

    private static func nonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        var response = content(text + "\n", type: "text/plain; charset=utf-8")
        response.status = status
        return response
    }

    private static func content(_ text: String, type: String) -> Response {
        content(ByteBuffer(string: text), type: type)
    }

    private static func content(_ buffer: ByteBuffer, type: String) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.contentLength] = String(buffer.readableBytes)
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: buffer))
    }
}

extension HTTPFields {
    /// A field by its name; nil for a name that is none.
    fileprivate subscript(values name: String) -> String? {
        get { Element.Name(name).flatMap { self[$0] } }
        set { if let name = Element.Name(name) { self[name] = newValue } }
    }
}
