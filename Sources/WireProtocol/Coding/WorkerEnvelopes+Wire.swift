// The envelopes between workers and the broker to and from frames.

import CTurbineProto

extension WorkerMessage: WireEnvelope, WireRecord {
    typealias Record = Turbine__V1__WorkerMessage

    public static var frameLimits: FrameLimits { WireLimits.workerFrame }

    public init(frame: UnsafeRawBufferPointer) throws(WireError) {
        try self.init(checking: frame, limits: Self.frameLimits)
    }

    public func encoded() throws(WireError) -> [UInt8] {
        try packed(limits: Self.frameLimits)
    }

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__worker_message__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.protocol_version = turbineProtocolVersion
        switch self {
        case .register(let value):
            c.pointee.register_ = try arena.record(value, "register")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_REGISTER
        case .ready(let value):
            c.pointee.ready = try arena.record(value, "ready")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_READY
        case .heartbeat(let value):
            c.pointee.heartbeat = try arena.record(value, "heartbeat")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_HEARTBEAT
        case .stepReport(let value):
            c.pointee.step_report = try arena.record(value, "step_report")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_STEP_REPORT
        case .imageFinished(let value):
            c.pointee.image_finished = try arena.record(value, "image_finished")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_IMAGE_FINISHED
        case .workCompleted(let value):
            c.pointee.work_completed = try arena.record(value, "work_completed")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_WORK_COMPLETED
        case .workFailed(let value):
            c.pointee.work_failed = try arena.record(value, "work_failed")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_WORK_FAILED
        case .workCancelled(let value):
            c.pointee.work_cancelled = try arena.record(value, "work_cancelled")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_WORK_CANCELLED
        case .handBack(let value):
            c.pointee.hand_back = try arena.record(value, "hand_back")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_HAND_BACK
        case .goodbye(let value):
            c.pointee.goodbye = try arena.record(value, "goodbye")
            c.pointee.message_case = TURBINE__V1__WORKER_MESSAGE__MESSAGE_GOODBYE
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        try Self.checkVersion(c.pointee.protocol_version)
        switch c.pointee.message_case {
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_REGISTER:
            self = .register(try WireReader.required(c.pointee.register_, "register"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_READY:
            self = .ready(try WireReader.required(c.pointee.ready, "ready"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_HEARTBEAT:
            self = .heartbeat(try WireReader.required(c.pointee.heartbeat, "heartbeat"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_STEP_REPORT:
            self = .stepReport(try WireReader.required(c.pointee.step_report, "step_report"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_IMAGE_FINISHED:
            self = .imageFinished(
                try WireReader.required(c.pointee.image_finished, "image_finished"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_WORK_COMPLETED:
            self = .workCompleted(
                try WireReader.required(c.pointee.work_completed, "work_completed"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_WORK_FAILED:
            self = .workFailed(try WireReader.required(c.pointee.work_failed, "work_failed"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_WORK_CANCELLED:
            self = .workCancelled(
                try WireReader.required(c.pointee.work_cancelled, "work_cancelled"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_HAND_BACK:
            self = .handBack(try WireReader.required(c.pointee.hand_back, "hand_back"))
        case TURBINE__V1__WORKER_MESSAGE__MESSAGE_GOODBYE:
            self = .goodbye(try WireReader.required(c.pointee.goodbye, "goodbye"))
        default:
            throw WireReader.missing("message")
        }
    }
}

extension BrokerMessage: WireEnvelope, WireRecord {
    typealias Record = Turbine__V1__BrokerMessage

    public static var frameLimits: FrameLimits { WireLimits.brokerFrame }

    public init(frame: UnsafeRawBufferPointer) throws(WireError) {
        try self.init(checking: frame, limits: Self.frameLimits)
    }

    public func encoded() throws(WireError) -> [UInt8] {
        try packed(limits: Self.frameLimits)
    }

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__broker_message__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.protocol_version = turbineProtocolVersion
        switch self {
        case .registered(let value):
            c.pointee.registered = try arena.record(value, "registered")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_REGISTERED
        case .heartbeatReply(let value):
            c.pointee.heartbeat_reply = try arena.record(value, "heartbeat_reply")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_HEARTBEAT_REPLY
        case .lease(let value):
            c.pointee.lease = try arena.record(value, "lease")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_LEASE
        case .revoke(let value):
            c.pointee.revoke = try arena.record(value, "revoke")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_REVOKE
        case .drain(let value):
            c.pointee.drain = try arena.record(value, "drain")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_DRAIN
        case .acknowledged(let value):
            c.pointee.acknowledged = try arena.record(value, "acknowledged")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_ACKNOWLEDGED
        case .refused(let value):
            c.pointee.refused = try arena.record(value, "refused")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_REFUSED
        case .goodbye(let value):
            c.pointee.goodbye = try arena.record(value, "goodbye")
            c.pointee.message_case = TURBINE__V1__BROKER_MESSAGE__MESSAGE_GOODBYE
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        try Self.checkVersion(c.pointee.protocol_version)
        switch c.pointee.message_case {
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_REGISTERED:
            self = .registered(try WireReader.required(c.pointee.registered, "registered"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_HEARTBEAT_REPLY:
            self = .heartbeatReply(
                try WireReader.required(c.pointee.heartbeat_reply, "heartbeat_reply"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_LEASE:
            self = .lease(try WireReader.required(c.pointee.lease, "lease"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_REVOKE:
            self = .revoke(try WireReader.required(c.pointee.revoke, "revoke"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_DRAIN:
            self = .drain(try WireReader.required(c.pointee.drain, "drain"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_ACKNOWLEDGED:
            self = .acknowledged(try WireReader.required(c.pointee.acknowledged, "acknowledged"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_REFUSED:
            self = .refused(try WireReader.required(c.pointee.refused, "refused"))
        case TURBINE__V1__BROKER_MESSAGE__MESSAGE_GOODBYE:
            self = .goodbye(try WireReader.required(c.pointee.goodbye, "goodbye"))
        default:
            throw WireReader.missing("message")
        }
    }
}
