// JobReplies.swift to and from the records of protoc-c.

import CTurbineProto

extension JobAccepted: WireRecord {
    typealias Record = Turbine__V1__Accepted

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__accepted__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        c.pointee.already_known = alreadyKnown ? 1 : 0
        c.pointee.state = .init(rawValue: state.rawValue)
        c.pointee.place_in_queue = placeInQueue
        if let estimatedStartMilliseconds {
            c.pointee.estimated_start_ms = estimatedStartMilliseconds
            c.pointee.has_estimated_start_ms_case =
                TURBINE__V1__ACCEPTED__HAS_ESTIMATED_START_MS_ESTIMATED_START_MS
        }
        if let estimatedEndMilliseconds {
            c.pointee.estimated_end_ms = estimatedEndMilliseconds
            c.pointee.has_estimated_end_ms_case =
                TURBINE__V1__ACCEPTED__HAS_ESTIMATED_END_MS_ESTIMATED_END_MS
        }
        c.pointee.hold = .init(rawValue: hold.rawValue)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        alreadyKnown = c.pointee.already_known != 0
        state = JobState(tolerating: c.pointee.state.rawValue)
        placeInQueue = c.pointee.place_in_queue
        estimatedStartMilliseconds =
            c.pointee.has_estimated_start_ms_case.rawValue == 0
            ? nil : c.pointee.estimated_start_ms
        estimatedEndMilliseconds =
            c.pointee.has_estimated_end_ms_case.rawValue == 0
            ? nil : c.pointee.estimated_end_ms
        hold = JobHold(tolerating: c.pointee.hold.rawValue)
    }
}

extension JobProgress: WireRecord {
    typealias Record = Turbine__V1__Progress

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__progress__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        c.pointee.stage = .init(rawValue: stage.rawValue)
        c.pointee.step = step
        c.pointee.steps = steps
        c.pointee.image_index = imageIndex
        c.pointee.image_count = imageCount
        c.pointee.attempt = attempt
        if let remainingMilliseconds {
            c.pointee.remaining_ms = remainingMilliseconds
            c.pointee.has_remaining_ms_case =
                TURBINE__V1__PROGRESS__HAS_REMAINING_MS_REMAINING_MS
        }
        if let placeInQueue {
            c.pointee.place_in_queue = placeInQueue
            c.pointee.has_place_in_queue_case =
                TURBINE__V1__PROGRESS__HAS_PLACE_IN_QUEUE_PLACE_IN_QUEUE
        }
        c.pointee.preview_png = try arena.bytes(previewPNG, "preview_png", WireLimits.previewBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        stage = JobStage(tolerating: c.pointee.stage.rawValue)
        step = c.pointee.step
        steps = c.pointee.steps
        imageIndex = c.pointee.image_index
        imageCount = c.pointee.image_count
        attempt = c.pointee.attempt
        remainingMilliseconds =
            c.pointee.has_remaining_ms_case.rawValue == 0
            ? nil : c.pointee.remaining_ms
        placeInQueue =
            c.pointee.has_place_in_queue_case.rawValue == 0
            ? nil : c.pointee.place_in_queue
        previewPNG = try WireReader.bytes(
            c.pointee.preview_png, "preview_png", WireLimits.previewBytes)
    }
}

extension JobCompleted: WireRecord {
    typealias Record = Turbine__V1__Completed

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__completed__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        (c.pointee.images, c.pointee.n_images) = try arena.list(
            images, "images", maximum: WireLimits.images)
        c.pointee.seconds = try arena.optional(seconds, "seconds")
        c.pointee.worker = try arena.text(worker, "worker", WireLimits.nameBytes)
        c.pointee.attempts = attempts
        c.pointee.model_name = try arena.text(modelName, "model_name", WireLimits.nameBytes)
        c.pointee.model_hash = try arena.text(modelHash, "model_hash", WireLimits.nameBytes)
        c.pointee.numerics_class = try arena.text(
            numericsClass, "numerics_class", WireLimits.nameBytes)
        c.pointee.pruning = try arena.optional(pruning, "pruning")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        images = try WireReader.list(
            c.pointee.images, c.pointee.n_images, "images",
            maximum: WireLimits.images)
        seconds = try WireReader.optional(c.pointee.seconds, "seconds")
        worker = try WireReader.text(c.pointee.worker, "worker", WireLimits.nameBytes)
        attempts = c.pointee.attempts
        modelName = try WireReader.text(c.pointee.model_name, "model_name", WireLimits.nameBytes)
        modelHash = try WireReader.text(c.pointee.model_hash, "model_hash", WireLimits.nameBytes)
        numericsClass = try WireReader.text(
            c.pointee.numerics_class, "numerics_class", WireLimits.nameBytes)
        pruning = try WireReader.optional(c.pointee.pruning, "pruning")
    }
}

extension JobFailed: WireRecord {
    typealias Record = Turbine__V1__Failed

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__failed__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        c.pointee.error = try arena.record(error, "error")
        c.pointee.attempts = attempts
        c.pointee.worker = try arena.text(worker, "worker", WireLimits.nameBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        error = try WireReader.required(c.pointee.error, "error")
        attempts = c.pointee.attempts
        worker = try WireReader.text(c.pointee.worker, "worker", WireLimits.nameBytes)
    }
}

extension JobCancelled: WireRecord {
    typealias Record = Turbine__V1__Cancelled

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__cancelled__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        c.pointee.reason = .init(rawValue: reason.rawValue)
        c.pointee.steps_done = stepsDone
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        reason = CancelReason(tolerating: c.pointee.reason.rawValue)
        stepsDone = c.pointee.steps_done
    }
}
