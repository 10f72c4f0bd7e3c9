// The envelopes between clients and the broker to and from frames.

import CTurbineProto

extension ClientMessage: WireEnvelope, WireRecord {
    typealias Record = Turbine__V1__ClientMessage

    public static var frameLimits: FrameLimits { WireLimits.clientFrame }

    public init(frame: UnsafeRawBufferPointer) throws(WireError) {
        try self.init(checking: frame, limits: Self.frameLimits)
    }

    public func encoded() throws(WireError) -> [UInt8] {
        try packed(limits: Self.frameLimits)
    }

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__client_message__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.protocol_version = turbineProtocolVersion
        c.pointee.correlation = correlation
        switch request {
        case .generate(let value):
            c.pointee.generate = try arena.record(value, "generate")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_GENERATE
        case .cancel(let value):
            c.pointee.cancel = try arena.record(value, "cancel")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_CANCEL
        case .attach(let value):
            c.pointee.attach = try arena.record(value, "attach")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_ATTACH
        case .getStatus:
            c.pointee.get_status = try arena.record(EmptyRequest(), "get_status")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_GET_STATUS
        case .listJobs(let value):
            c.pointee.list_jobs = try arena.record(value, "list_jobs")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_LIST_JOBS
        case .listQuarantine(let value):
            c.pointee.list_quarantine = try arena.record(value, "list_quarantine")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_LIST_QUARANTINE
        case .inspectQuarantine(let value):
            c.pointee.inspect_quarantine = try arena.record(value, "inspect_quarantine")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_INSPECT_QUARANTINE
        case .releaseQuarantine(let value):
            c.pointee.release_quarantine = try arena.record(value, "release_quarantine")
            c.pointee.request_case = TURBINE__V1__CLIENT_MESSAGE__REQUEST_RELEASE_QUARANTINE
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        try Self.checkVersion(c.pointee.protocol_version)
        self.init(correlation: c.pointee.correlation, try Request(reading: c))
    }
}

extension ClientMessage.Request {
    init(reading c: UnsafePointer<Turbine__V1__ClientMessage>) throws(WireError) {
        switch c.pointee.request_case {
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_GENERATE:
            self = .generate(try WireReader.required(c.pointee.generate, "generate"))
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_CANCEL:
            self = .cancel(try WireReader.required(c.pointee.cancel, "cancel"))
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_ATTACH:
            self = .attach(try WireReader.required(c.pointee.attach, "attach"))
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_GET_STATUS:
            self = .getStatus
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_LIST_JOBS:
            self = .listJobs(try WireReader.required(c.pointee.list_jobs, "list_jobs"))
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_LIST_QUARANTINE:
            self = .listQuarantine(
                try WireReader.required(c.pointee.list_quarantine, "list_quarantine"))
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_INSPECT_QUARANTINE:
            self = .inspectQuarantine(
                try WireReader.required(c.pointee.inspect_quarantine, "inspect_quarantine"))
        case TURBINE__V1__CLIENT_MESSAGE__REQUEST_RELEASE_QUARANTINE:
            self = .releaseQuarantine(
                try WireReader.required(c.pointee.release_quarantine, "release_quarantine"))
        default:
            throw WireReader.missing("request")
        }
    }
}

extension ServerMessage: WireEnvelope, WireRecord {
    typealias Record = Turbine__V1__ServerMessage

    public static var frameLimits: FrameLimits { WireLimits.serverFrame }

    public init(frame: UnsafeRawBufferPointer) throws(WireError) {
        try self.init(checking: frame, limits: Self.frameLimits)
    }

    public func encoded() throws(WireError) -> [UInt8] {
        try packed(limits: Self.frameLimits)
    }

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__server_message__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.protocol_version = turbineProtocolVersion
        c.pointee.correlation = correlation
        switch reply {
        case .accepted(let value):
            c.pointee.accepted = try arena.record(value, "accepted")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_ACCEPTED
        case .progress(let value):
            c.pointee.progress = try arena.record(value, "progress")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_PROGRESS
        case .completed(let value):
            c.pointee.completed = try arena.record(value, "completed")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_COMPLETED
        case .failed(let value):
            c.pointee.failed = try arena.record(value, "failed")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_FAILED
        case .cancelled(let value):
            c.pointee.cancelled = try arena.record(value, "cancelled")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_CANCELLED
        case .status(let value):
            c.pointee.status = try arena.record(value, "status")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_STATUS
        case .jobs(let value):
            c.pointee.jobs = try arena.record(value, "jobs")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_JOBS
        case .quarantine(let value):
            c.pointee.quarantine = try arena.record(value, "quarantine")
            c.pointee.reply_case = TURBINE__V1__SERVER_MESSAGE__REPLY_QUARANTINE
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        try Self.checkVersion(c.pointee.protocol_version)
        self.init(correlation: c.pointee.correlation, try Reply(reading: c))
    }
}

extension ServerMessage.Reply {
    init(reading c: UnsafePointer<Turbine__V1__ServerMessage>) throws(WireError) {
        switch c.pointee.reply_case {
        case TURBINE__V1__SERVER_MESSAGE__REPLY_ACCEPTED:
            self = .accepted(try WireReader.required(c.pointee.accepted, "accepted"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_PROGRESS:
            self = .progress(try WireReader.required(c.pointee.progress, "progress"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_COMPLETED:
            self = .completed(try WireReader.required(c.pointee.completed, "completed"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_FAILED:
            self = .failed(try WireReader.required(c.pointee.failed, "failed"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_CANCELLED:
            self = .cancelled(try WireReader.required(c.pointee.cancelled, "cancelled"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_STATUS:
            self = .status(try WireReader.required(c.pointee.status, "status"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_JOBS:
            self = .jobs(try WireReader.required(c.pointee.jobs, "jobs"))
        case TURBINE__V1__SERVER_MESSAGE__REPLY_QUARANTINE:
            self = .quarantine(try WireReader.required(c.pointee.quarantine, "quarantine"))
        default:
            throw WireReader.missing("reply")
        }
    }
}

/// The message of a request that has no fields.
private struct EmptyRequest: WireRecord {
    typealias Record = Turbine__V1__GetStatus

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__get_status__init(c)
    }

    init() {}

    func write(to c: UnsafeMutablePointer<Record>, in arena: WireArena) throws(WireError) {}

    init(reading c: UnsafePointer<Record>) throws(WireError) {}
}

extension ClientMessage {
    /// The correlation of a frame that does not decode, as far as it can be read; 0 otherwise.
    /// With it the refusal of a bad request reaches the right caller.
    public static func salvageCorrelation(_ frame: [UInt8]) -> UInt64 {
        frame.withUnsafeBytes { FrameScanner.salvageCorrelation($0) }
    }
}
