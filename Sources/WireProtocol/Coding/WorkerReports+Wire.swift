// WorkerReports.swift to and from the records of protoc-c.

import CTurbineProto

extension LeaseReference: WireRecord {
    typealias Record = Turbine__V1__LeaseReference

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__lease_reference__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.attempt = attempt
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        attempt = c.pointee.attempt
    }
}

extension ModelDescription: WireRecord {
    typealias Record = Turbine__V1__ModelDescription

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__model_description__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.name = try arena.text(name, "name", WireLimits.nameBytes)
        c.pointee.hash = try arena.text(hash, "hash", WireLimits.nameBytes)
        c.pointee.numerics_class = try arena.text(
            numericsClass, "numerics_class", WireLimits.nameBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        name = try WireReader.text(c.pointee.name, "name", WireLimits.nameBytes)
        hash = try WireReader.text(c.pointee.hash, "hash", WireLimits.nameBytes)
        numericsClass = try WireReader.text(
            c.pointee.numerics_class, "numerics_class", WireLimits.nameBytes)
    }
}

extension DefaultShape: WireRecord {
    typealias Record = Turbine__V1__DefaultShape

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__default_shape__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.width = width
        c.pointee.height = height
        c.pointee.steps = steps
        c.pointee.image_count = imageCount
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        width = c.pointee.width
        height = c.pointee.height
        steps = c.pointee.steps
        imageCount = c.pointee.image_count
    }
}

extension RegisterWorker: WireRecord {
    typealias Record = Turbine__V1__Register

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__register__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.name = try arena.text(name, "name", WireLimits.nameBytes)
        c.pointee.host = try arena.text(host, "host", WireLimits.nameBytes)
        c.pointee.process_id = processID
        c.pointee.version = try arena.text(version, "version", WireLimits.nameBytes)
        c.pointee.model = try arena.record(model, "model")
        c.pointee.maximum_pixels = maximumPixels
        (c.pointee.held_leases, c.pointee.n_held_leases) = try arena.list(
            heldLeases, "held_leases", maximum: WireLimits.leases)
        c.pointee.incarnation = incarnation
        c.pointee.default_shape = try arena.optional(defaultShape, "default_shape")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        name = try WireReader.text(c.pointee.name, "name", WireLimits.nameBytes)
        host = try WireReader.text(c.pointee.host, "host", WireLimits.nameBytes)
        processID = c.pointee.process_id
        version = try WireReader.text(c.pointee.version, "version", WireLimits.nameBytes)
        model = try WireReader.required(c.pointee.model, "model")
        maximumPixels = c.pointee.maximum_pixels
        heldLeases = try WireReader.list(
            c.pointee.held_leases, c.pointee.n_held_leases, "held_leases",
            maximum: WireLimits.leases)
        incarnation = c.pointee.incarnation
        defaultShape = try WireReader.optional(c.pointee.default_shape, "default_shape")
    }
}

extension WorkerReady: WireRecord {
    typealias Record = Turbine__V1__Ready

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__ready__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.warm_up_seconds = try WireReader.finite(warmUpSeconds, "warm_up_seconds")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        warmUpSeconds = try WireReader.finite(c.pointee.warm_up_seconds, "warm_up_seconds")
    }
}

extension WorkerHeartbeat: WireRecord {
    typealias Record = Turbine__V1__Heartbeat

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__heartbeat__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.sequence = sequence
        c.pointee.lease = try arena.optional(lease, "lease")
        c.pointee.step_counter = stepCounter
        c.pointee.resident_bytes = residentBytes
        if let secondsAStep {
            c.pointee.seconds_a_step = try WireReader.finite(secondsAStep, "seconds_a_step")
            c.pointee.has_seconds_a_step_case =
                TURBINE__V1__HEARTBEAT__HAS_SECONDS_A_STEP_SECONDS_A_STEP
        }
        c.pointee.draining = draining ? 1 : 0
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        sequence = c.pointee.sequence
        lease = try WireReader.optional(c.pointee.lease, "lease")
        stepCounter = c.pointee.step_counter
        residentBytes = c.pointee.resident_bytes
        secondsAStep =
            try c.pointee.has_seconds_a_step_case.rawValue == 0
            ? nil : WireReader.finite(c.pointee.seconds_a_step, "seconds_a_step")
        draining = c.pointee.draining != 0
    }
}

extension ResumeState: WireRecord {
    typealias Record = Turbine__V1__ResumeState

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__resume_state__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.image_index = imageIndex
        c.pointee.step = step
        c.pointee.latents = try arena.bytes(latents, "latents", WireLimits.latentBytes)
        c.pointee.engine_state = try arena.bytes(
            engineState, "engine_state", WireLimits.latentBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        imageIndex = c.pointee.image_index
        step = c.pointee.step
        latents = try WireReader.bytes(c.pointee.latents, "latents", WireLimits.latentBytes)
        engineState = try WireReader.bytes(
            c.pointee.engine_state, "engine_state", WireLimits.latentBytes)
    }
}

extension StepReport: WireRecord {
    typealias Record = Turbine__V1__StepReport

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__step_report__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.stage = .init(rawValue: stage.rawValue)
        c.pointee.step = step
        c.pointee.steps = steps
        c.pointee.image_index = imageIndex
        c.pointee.step_seconds = try WireReader.finite(stepSeconds, "step_seconds")
        c.pointee.resume = try arena.optional(resume, "resume")
        c.pointee.preview_png = try arena.bytes(previewPNG, "preview_png", WireLimits.previewBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        stage = JobStage(tolerating: c.pointee.stage.rawValue)
        step = c.pointee.step
        steps = c.pointee.steps
        imageIndex = c.pointee.image_index
        stepSeconds = try WireReader.finite(c.pointee.step_seconds, "step_seconds")
        resume = try WireReader.optional(c.pointee.resume, "resume")
        previewPNG = try WireReader.bytes(
            c.pointee.preview_png, "preview_png", WireLimits.previewBytes)
    }
}

extension ImageFinished: WireRecord {
    typealias Record = Turbine__V1__ImageFinished

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__image_finished__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.image = try arena.record(image, "image")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        image = try WireReader.required(c.pointee.image, "image")
    }
}

extension WorkCompleted: WireRecord {
    typealias Record = Turbine__V1__WorkCompleted

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__work_completed__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        (c.pointee.images, c.pointee.n_images) = try arena.list(
            images, "images", maximum: WireLimits.images)
        c.pointee.seconds = try arena.optional(seconds, "seconds")
        c.pointee.pruning = try arena.optional(pruning, "pruning")
        c.pointee.image_count = imageCount
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        images = try WireReader.list(
            c.pointee.images, c.pointee.n_images, "images",
            maximum: WireLimits.images)
        seconds = try WireReader.optional(c.pointee.seconds, "seconds")
        pruning = try WireReader.optional(c.pointee.pruning, "pruning")
        imageCount = c.pointee.image_count
    }
}

extension WorkFailed: WireRecord {
    typealias Record = Turbine__V1__WorkFailed

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__work_failed__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.error = try arena.record(error, "error")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        error = try WireReader.required(c.pointee.error, "error")
    }
}

extension WorkCancelled: WireRecord {
    typealias Record = Turbine__V1__WorkCancelled

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__work_cancelled__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.steps_done = stepsDone
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        stepsDone = c.pointee.steps_done
    }
}

extension HandBack: WireRecord {
    typealias Record = Turbine__V1__HandBack

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__hand_back__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.lease = try arena.record(lease, "lease")
        c.pointee.resume = try arena.optional(resume, "resume")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        lease = try WireReader.required(c.pointee.lease, "lease")
        resume = try WireReader.optional(c.pointee.resume, "resume")
    }
}

extension Goodbye: WireRecord {
    typealias Record = Turbine__V1__Goodbye

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__goodbye__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.reason = try arena.text(reason, "reason", WireLimits.sentenceBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        reason = try WireReader.text(c.pointee.reason, "reason", WireLimits.sentenceBytes)
    }
}
