// BrokerOrders.swift to and from the records of protoc-c.

import CTurbineProto

extension WorkerRegistered: WireRecord {
    typealias Record = Turbine__V1__Registered

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__registered__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.heartbeat_interval_ms = heartbeatIntervalMilliseconds
        c.pointee.missed_heartbeats_allowed = missedHeartbeatsAllowed
        (c.pointee.revoked_leases, c.pointee.n_revoked_leases) = try arena.list(
            revokedLeases, "revoked_leases", maximum: WireLimits.leases)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        heartbeatIntervalMilliseconds = c.pointee.heartbeat_interval_ms
        missedHeartbeatsAllowed = c.pointee.missed_heartbeats_allowed
        revokedLeases = try WireReader.list(
            c.pointee.revoked_leases, c.pointee.n_revoked_leases, "revoked_leases",
            maximum: WireLimits.leases)
    }
}

extension HeartbeatReply: WireRecord {
    typealias Record = Turbine__V1__HeartbeatReply

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__heartbeat_reply__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.sequence = sequence
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        sequence = c.pointee.sequence
    }
}

extension LeaseGrant: WireRecord {
    typealias Record = Turbine__V1__Lease

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__lease__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.request = try arena.record(request, "request")
        if let deadlineMilliseconds {
            c.pointee.deadline_ms = deadlineMilliseconds
            c.pointee.has_deadline_ms_case =
                TURBINE__V1__LEASE__HAS_DEADLINE_MS_DEADLINE_MS
        }
        c.pointee.preview = try arena.optional(preview, "preview")
        c.pointee.resume = try arena.optional(resume, "resume")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        request = try WireReader.required(c.pointee.request, "request")
        deadlineMilliseconds =
            c.pointee.has_deadline_ms_case.rawValue == 0
            ? nil : c.pointee.deadline_ms
        preview = try WireReader.optional(c.pointee.preview, "preview")
        resume = try WireReader.optional(c.pointee.resume, "resume")
    }
}

extension LeaseRevocation: WireRecord {
    typealias Record = Turbine__V1__Revoke

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__revoke__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.reason = .init(rawValue: reason.rawValue)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        reason = CancelReason(tolerating: c.pointee.reason.rawValue)
    }
}

extension DrainOrder: WireRecord {
    typealias Record = Turbine__V1__Drain

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__drain__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        if let graceMilliseconds {
            c.pointee.grace_ms = graceMilliseconds
            c.pointee.has_grace_ms_case =
                TURBINE__V1__DRAIN__HAS_GRACE_MS_GRACE_MS
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        graceMilliseconds =
            c.pointee.has_grace_ms_case.rawValue == 0
            ? nil : c.pointee.grace_ms
    }
}

extension LeaseAcknowledged: WireRecord {
    typealias Record = Turbine__V1__Acknowledged

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__acknowledged__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.message_field = messageField
        c.pointee.image_index = imageIndex
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        messageField = c.pointee.message_field
        imageIndex = c.pointee.image_index
    }
}

extension WorkerRefused: WireRecord {
    typealias Record = Turbine__V1__Refused

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__refused__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.optional(lease, "lease")
        c.pointee.error = try arena.record(error, "error")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.optional(c.pointee.lease, "lease")
        error = try WireReader.required(c.pointee.error, "error")
    }
}
