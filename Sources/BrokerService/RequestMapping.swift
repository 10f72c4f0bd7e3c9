// What clients ask for, in the queue's terms.

import QueueCore
import WireProtocol

extension BrokerConfiguration {
    /// The size of a request's work; what it leaves open comes from its preset or from `open`.
    func shape(of request: GenerationRequest, open: Shape) throws(WireError) -> JobShape {
        let preset = request.preset.flatMap { presetShapes[$0] } ?? open
        let width = UInt64(request.width ?? preset.width)
        let height = UInt64(request.height ?? preset.height)
        guard width * height <= requestLimits.maximumPixels else {
            throw WireError(
                .limitExceeded, "makes \(width) × \(height) pixels", field: "request.width",
                remedy: "ask for at most \(requestLimits.maximumPixels) pixels")
        }
        return JobShape(
            pixels: Int(width * height), steps: Int(request.steps ?? preset.steps),
            images: Int(request.imageCount ?? preset.images))
    }

    /// A job for the queue; see `shape(of:open:)`.
    func submission(
        _ generate: GenerateRequest, key: RequestID, open: Shape, at now: Instant
    ) throws(WireError) -> Submission {
        try requestLimits.check(generate.request)
        try requestLimits.check(generate.preview)
        let bare = GenerateRequest(request: generate.request)
        let deadline = generate.deadlineMilliseconds.map {
            now + .milliseconds(Int64(clamping: $0))
        }
        return Submission(
            request: key, shape: try shape(of: generate.request, open: open),
            model: generate.request.model.map { ModelID(hash: $0) },
            priority: Priority(generate.priority), deadline: deadline,
            isDetached: generate.detachOnDisconnect ?? false,
            payload: try ClientMessage(.generate(bare)).encoded())
    }
}

extension Submission {
    /// The request that a payload holds.
    static func request(in payload: [UInt8]) -> GenerationRequest? {
        guard !payload.isEmpty, let message = try? ClientMessage(frame: payload),
            case .generate(let generate) = message.request
        else { return nil }
        return generate.request
    }
}

extension GenerationRequest {
    /// The start of the prompt, or of what fills the template.
    var excerpt: String {
        switch text {
        case .prompt(let prompt): String(prompt.prefix(120))
        case .template(let template):
            String(
                ([template.name] + template.slots.map(\.value)).joined(separator: " · ").prefix(120)
            )
        }
    }
}

extension RequestID {
    private static let madeUpPrefix = "\u{1}"

    /// A key for a request that has none: it can never be named by a client.
    init(madeUp number: UInt64, nonce: UInt64) {
        self.init(
            key: Self.madeUpPrefix + String(nonce, radix: 36) + "-" + String(number, radix: 36))
    }

    /// Whether a client may use it.
    var isAllowed: Bool { !key.hasPrefix(Self.madeUpPrefix) }

    /// As clients see it: empty if they gave none.
    var shown: String { isAllowed ? key : "" }
}

extension QueueCore.JobReference {
    init(_ reference: WireProtocol.JobReference) {
        switch reference {
        case .jobID(let number): self = .job(JobID(number: number))
        case .requestID(let key): self = .request(RequestID(key: key))
        }
    }
}

extension Priority {
    init(_ priority: JobPriority) {
        switch priority {
        case .low: self = .low
        case .high: self = .high
        case .normal, .unspecified: self = .normal
        }
    }

    var wire: JobPriority {
        switch self {
        case .low: .low
        case .normal: .normal
        case .high: .high
        }
    }
}

extension LeaseID {
    init(_ reference: LeaseReference) {
        self.init(job: JobID(number: reference.jobID), attempt: reference.attempt)
    }

    var wire: LeaseReference { LeaseReference(jobID: job.number, attempt: attempt) }
}

extension TimeSpan {
    /// Whole milliseconds, none below zero.
    var milliseconds: UInt64 { UInt64(max(0, microseconds / 1000)) }
}
