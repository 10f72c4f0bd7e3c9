// StatusReplies.swift to and from the records of protoc-c.

import CTurbineProto

extension WorkerStatus: WireRecord {
    typealias Record = Turbine__V1__WorkerStatus

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__worker_status__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.name = try arena.text(name, "name", WireLimits.nameBytes)
        c.pointee.host = try arena.text(host, "host", WireLimits.nameBytes)
        c.pointee.state = .init(rawValue: state.rawValue)
        c.pointee.model_name = try arena.text(modelName, "model_name", WireLimits.nameBytes)
        c.pointee.model_hash = try arena.text(modelHash, "model_hash", WireLimits.nameBytes)
        c.pointee.numerics_class = try arena.text(
            numericsClass, "numerics_class", WireLimits.nameBytes)
        c.pointee.job_id = jobID
        c.pointee.attempt = attempt
        c.pointee.step = step
        c.pointee.steps = steps
        if let secondsAStep {
            c.pointee.seconds_a_step = try WireReader.finite(secondsAStep, "seconds_a_step")
            c.pointee.has_seconds_a_step_case =
                TURBINE__V1__WORKER_STATUS__HAS_SECONDS_A_STEP_SECONDS_A_STEP
        }
        c.pointee.resident_bytes = residentBytes
        c.pointee.connected_ms = connectedMilliseconds
        c.pointee.last_heard_ms = lastHeardMilliseconds
        c.pointee.jobs_completed = jobsCompleted
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        name = try WireReader.text(c.pointee.name, "name", WireLimits.nameBytes)
        host = try WireReader.text(c.pointee.host, "host", WireLimits.nameBytes)
        state = WorkerState(tolerating: c.pointee.state.rawValue)
        modelName = try WireReader.text(c.pointee.model_name, "model_name", WireLimits.nameBytes)
        modelHash = try WireReader.text(c.pointee.model_hash, "model_hash", WireLimits.nameBytes)
        numericsClass = try WireReader.text(
            c.pointee.numerics_class, "numerics_class", WireLimits.nameBytes)
        jobID = c.pointee.job_id
        attempt = c.pointee.attempt
        step = c.pointee.step
        steps = c.pointee.steps
        secondsAStep =
            try c.pointee.has_seconds_a_step_case.rawValue == 0
            ? nil : WireReader.finite(c.pointee.seconds_a_step, "seconds_a_step")
        residentBytes = c.pointee.resident_bytes
        connectedMilliseconds = c.pointee.connected_ms
        lastHeardMilliseconds = c.pointee.last_heard_ms
        jobsCompleted = c.pointee.jobs_completed
    }
}

extension OutcomeCount: WireRecord {
    typealias Record = Turbine__V1__Outcome

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__outcome__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.code = .init(rawValue: code.rawValue)
        c.pointee.count = count
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        code = ErrorCode(tolerating: c.pointee.code.rawValue)
        count = c.pointee.count
    }
}

extension ServiceStatus: WireRecord {
    typealias Record = Turbine__V1__Status

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__status__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.version = try arena.text(version, "version", WireLimits.nameBytes)
        c.pointee.uptime_ms = uptimeMilliseconds
        c.pointee.accepting = accepting ? 1 : 0
        c.pointee.queued = queued
        c.pointee.running = running
        c.pointee.quarantined = quarantined
        c.pointee.queue_capacity = queueCapacity
        c.pointee.completed = completed
        c.pointee.failed = failed
        c.pointee.cancelled = cancelled
        (c.pointee.failures_by_code, c.pointee.n_failures_by_code) = try arena.list(
            failuresByCode, "failures_by_code", maximum: WireLimits.outcomes)
        (c.pointee.workers, c.pointee.n_workers) = try arena.list(
            workers, "workers", maximum: WireLimits.workers)
        c.pointee.dropped_messages = droppedMessages
        if let journalSecondsMedian {
            c.pointee.journal_seconds_median = try WireReader.finite(
                journalSecondsMedian, "journal_seconds_median")
            c.pointee.has_journal_seconds_median_case =
                TURBINE__V1__STATUS__HAS_JOURNAL_SECONDS_MEDIAN_JOURNAL_SECONDS_MEDIAN
        }
        if let estimatedWaitMilliseconds {
            c.pointee.estimated_wait_ms = estimatedWaitMilliseconds
            c.pointee.has_estimated_wait_ms_case =
                TURBINE__V1__STATUS__HAS_ESTIMATED_WAIT_MS_ESTIMATED_WAIT_MS
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        version = try WireReader.text(c.pointee.version, "version", WireLimits.nameBytes)
        uptimeMilliseconds = c.pointee.uptime_ms
        accepting = c.pointee.accepting != 0
        queued = c.pointee.queued
        running = c.pointee.running
        quarantined = c.pointee.quarantined
        queueCapacity = c.pointee.queue_capacity
        completed = c.pointee.completed
        failed = c.pointee.failed
        cancelled = c.pointee.cancelled
        failuresByCode = try WireReader.list(
            c.pointee.failures_by_code, c.pointee.n_failures_by_code, "failures_by_code",
            maximum: WireLimits.outcomes)
        workers = try WireReader.list(
            c.pointee.workers, c.pointee.n_workers, "workers",
            maximum: WireLimits.workers)
        droppedMessages = c.pointee.dropped_messages
        journalSecondsMedian =
            try c.pointee.has_journal_seconds_median_case.rawValue == 0
            ? nil : WireReader.finite(c.pointee.journal_seconds_median, "journal_seconds_median")
        estimatedWaitMilliseconds =
            c.pointee.has_estimated_wait_ms_case.rawValue == 0
            ? nil : c.pointee.estimated_wait_ms
    }
}

extension JobSummary: WireRecord {
    typealias Record = Turbine__V1__JobSummary

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__job_summary__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job_id = jobID
        c.pointee.request_id = try arena.text(requestID, "request_id", WireLimits.requestIDBytes)
        c.pointee.client = try arena.text(client, "client", WireLimits.nameBytes)
        c.pointee.state = .init(rawValue: state.rawValue)
        c.pointee.priority = .init(rawValue: priority.rawValue)
        if let placeInQueue {
            c.pointee.place_in_queue = placeInQueue
            c.pointee.has_place_in_queue_case =
                TURBINE__V1__JOB_SUMMARY__HAS_PLACE_IN_QUEUE_PLACE_IN_QUEUE
        }
        c.pointee.submitted_unix_ms = submittedUnixMilliseconds
        c.pointee.step = step
        c.pointee.steps = steps
        c.pointee.attempts = attempts
        c.pointee.worker = try arena.text(worker, "worker", WireLimits.nameBytes)
        c.pointee.width = width
        c.pointee.height = height
        c.pointee.image_count = imageCount
        c.pointee.prompt_excerpt = try arena.text(
            promptExcerpt, "prompt_excerpt", WireLimits.sentenceBytes)
        c.pointee.error = try arena.optional(error, "error")
        c.pointee.hold = .init(rawValue: hold.rawValue)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobID = c.pointee.job_id
        requestID = try WireReader.text(
            c.pointee.request_id, "request_id", WireLimits.requestIDBytes)
        client = try WireReader.text(c.pointee.client, "client", WireLimits.nameBytes)
        state = JobState(tolerating: c.pointee.state.rawValue)
        priority = try WireReader.known(c.pointee.priority.rawValue, "priority")
        placeInQueue =
            c.pointee.has_place_in_queue_case.rawValue == 0
            ? nil : c.pointee.place_in_queue
        submittedUnixMilliseconds = c.pointee.submitted_unix_ms
        step = c.pointee.step
        steps = c.pointee.steps
        attempts = c.pointee.attempts
        worker = try WireReader.text(c.pointee.worker, "worker", WireLimits.nameBytes)
        width = c.pointee.width
        height = c.pointee.height
        imageCount = c.pointee.image_count
        promptExcerpt = try WireReader.text(
            c.pointee.prompt_excerpt, "prompt_excerpt", WireLimits.sentenceBytes)
        error = try WireReader.optional(c.pointee.error, "error")
        hold = JobHold(tolerating: c.pointee.hold.rawValue)
    }
}

extension JobList: WireRecord {
    typealias Record = Turbine__V1__Jobs

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__jobs__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        (c.pointee.jobs, c.pointee.n_jobs) = try arena.list(
            jobs, "jobs", maximum: WireLimits.jobs)
        c.pointee.more = more ? 1 : 0
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobs = try WireReader.list(
            c.pointee.jobs, c.pointee.n_jobs, "jobs",
            maximum: WireLimits.jobs)
        more = c.pointee.more != 0
    }
}

extension WorkerDeath: WireRecord {
    typealias Record = Turbine__V1__WorkerDeath

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__worker_death__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.attempt = attempt
        c.pointee.worker = try arena.text(worker, "worker", WireLimits.nameBytes)
        c.pointee.cause = try arena.text(cause, "cause", WireLimits.sentenceBytes)
        c.pointee.step = step
        c.pointee.unix_ms = unixMilliseconds
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        attempt = c.pointee.attempt
        worker = try WireReader.text(c.pointee.worker, "worker", WireLimits.nameBytes)
        cause = try WireReader.text(c.pointee.cause, "cause", WireLimits.sentenceBytes)
        step = c.pointee.step
        unixMilliseconds = c.pointee.unix_ms
    }
}

extension QuarantinedJob: WireRecord {
    typealias Record = Turbine__V1__QuarantinedJob

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__quarantined_job__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.job = try arena.record(job, "job")
        (c.pointee.deaths, c.pointee.n_deaths) = try arena.list(
            deaths, "deaths", maximum: WireLimits.deaths)
        c.pointee.request = try arena.optional(request, "request")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        job = try WireReader.required(c.pointee.job, "job")
        deaths = try WireReader.list(
            c.pointee.deaths, c.pointee.n_deaths, "deaths",
            maximum: WireLimits.deaths)
        request = try WireReader.optional(c.pointee.request, "request")
    }
}

extension QuarantineList: WireRecord {
    typealias Record = Turbine__V1__Quarantine

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__quarantine__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        (c.pointee.jobs, c.pointee.n_jobs) = try arena.list(
            jobs, "jobs", maximum: WireLimits.jobs)
        c.pointee.more = more ? 1 : 0
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        jobs = try WireReader.list(
            c.pointee.jobs, c.pointee.n_jobs, "jobs",
            maximum: WireLimits.jobs)
        more = c.pointee.more != 0
    }
}
