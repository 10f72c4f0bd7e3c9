// ClientRequests.swift to and from the records of protoc-c.

import CTurbineProto

extension GenerateRequest: WireRecord {
    typealias Record = Turbine__V1__Generate

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__generate__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        c.pointee.request = try arena.record(request, "request")
        c.pointee.priority = .init(rawValue: priority.rawValue)
        if let deadlineMilliseconds {
            c.pointee.deadline_ms = deadlineMilliseconds
            c.pointee.has_deadline_ms_case =
                TURBINE__V1__GENERATE__HAS_DEADLINE_MS_DEADLINE_MS
        }
        c.pointee.preview = try arena.optional(preview, "preview")
        if let detachOnDisconnect {
            c.pointee.detach_on_disconnect = detachOnDisconnect ? 1 : 0
            c.pointee.has_detach_on_disconnect_case =
                TURBINE__V1__GENERATE__HAS_DETACH_ON_DISCONNECT_DETACH_ON_DISCONNECT
        }
        c.pointee.replies = .init(rawValue: replies.rawValue)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        request = try WireReader.required(c.pointee.request, "request")
        priority = try WireReader.known(c.pointee.priority.rawValue, "priority")
        deadlineMilliseconds =
            c.pointee.has_deadline_ms_case.rawValue == 0
            ? nil : c.pointee.deadline_ms
        preview = try WireReader.optional(c.pointee.preview, "preview")
        detachOnDisconnect =
            c.pointee.has_detach_on_disconnect_case.rawValue == 0
            ? nil : c.pointee.detach_on_disconnect != 0
        replies = try WireReader.known(c.pointee.replies.rawValue, "replies")
    }
}

extension CancelRequest: WireRecord {
    typealias Record = Turbine__V1__Cancel

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__cancel__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job = try arena.record(job, "job")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        job = try WireReader.required(c.pointee.job, "job")
    }
}

extension AttachRequest: WireRecord {
    typealias Record = Turbine__V1__Attach

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__attach__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job = try arena.record(job, "job")
        c.pointee.preview = try arena.optional(preview, "preview")
        c.pointee.replies = .init(rawValue: replies.rawValue)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        job = try WireReader.required(c.pointee.job, "job")
        preview = try WireReader.optional(c.pointee.preview, "preview")
        replies = try WireReader.known(c.pointee.replies.rawValue, "replies")
    }
}

extension ListJobsRequest: WireRecord {
    typealias Record = Turbine__V1__ListJobs

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__list_jobs__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        (c.pointee.states, c.pointee.n_states) = try arena.enumerations(
            states.map { Turbine__V1__JobState(rawValue: $0.rawValue) }, "states",
            maximum: WireLimits.listedStates)
        c.pointee.limit = limit
        c.pointee.after_job_id = afterJobID
        c.pointee.all_clients = allClients ? 1 : 0
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        states = try WireReader.jobStates(
            c.pointee.states, c.pointee.n_states, "states",
            maximum: WireLimits.listedStates)
        limit = c.pointee.limit
        afterJobID = c.pointee.after_job_id
        allClients = c.pointee.all_clients != 0
    }
}

extension ListQuarantineRequest: WireRecord {
    typealias Record = Turbine__V1__ListQuarantine

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__list_quarantine__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.limit = limit
        c.pointee.after_job_id = afterJobID
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        limit = c.pointee.limit
        afterJobID = c.pointee.after_job_id
    }
}

extension InspectQuarantineRequest: WireRecord {
    typealias Record = Turbine__V1__InspectQuarantine

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__inspect_quarantine__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
    }
}

extension ReleaseQuarantineRequest: WireRecord {
    typealias Record = Turbine__V1__ReleaseQuarantine

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__release_quarantine__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.discard = discard ? 1 : 0
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        discard = c.pointee.discard != 0
    }
}
