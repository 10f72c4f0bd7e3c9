// The oneofs inside messages to and from the records of protoc-c.

import CTurbineProto

extension JobReference: WireRecord {
    typealias Record = Turbine__V1__JobReference

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__job_reference__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        switch self {
        case .jobID(let id):
            c.pointee.job_id = id
            c.pointee.job_case = TURBINE__V1__JOB_REFERENCE__JOB_JOB_ID
        case .requestID(let id):
            c.pointee.request_id = try arena.text(id, "request_id", WireLimits.requestIDBytes)
            c.pointee.job_case = TURBINE__V1__JOB_REFERENCE__JOB_REQUEST_ID
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        switch c.pointee.job_case {
        case TURBINE__V1__JOB_REFERENCE__JOB_JOB_ID:
            self = .jobID(c.pointee.job_id)
        case TURBINE__V1__JOB_REFERENCE__JOB_REQUEST_ID:
            self = .requestID(
                try WireReader.text(
                    c.pointee.request_id, "request_id", WireLimits.requestIDBytes))
        default:
            throw WireReader.missing("job")
        }
    }
}

extension PromptText {
    func write(
        to c: UnsafeMutablePointer<Turbine__V1__GenerationRequest>, in arena: WireArena
    ) throws(WireError) {
        switch self {
        case .prompt(let prompt):
            c.pointee.prompt = try arena.text(prompt, "prompt", WireLimits.promptBytes)
            c.pointee.text_case = TURBINE__V1__GENERATION_REQUEST__TEXT_PROMPT
        case .template(let template):
            c.pointee.template_ = try arena.record(template, "template")
            c.pointee.text_case = TURBINE__V1__GENERATION_REQUEST__TEXT_TEMPLATE
        }
    }

    init(reading c: UnsafePointer<Turbine__V1__GenerationRequest>) throws(WireError) {
        switch c.pointee.text_case {
        case TURBINE__V1__GENERATION_REQUEST__TEXT_PROMPT:
            self = .prompt(
                try WireReader.text(c.pointee.prompt, "prompt", WireLimits.promptBytes))
        case TURBINE__V1__GENERATION_REQUEST__TEXT_TEMPLATE:
            self = .template(try WireReader.required(c.pointee.template_, "template"))
        default:
            throw WireReader.missing("prompt")
        }
    }
}

extension PruningCriterion {
    func write(to c: UnsafeMutablePointer<Turbine__V1__Pruning>) throws(WireError) {
        switch self {
        case .thresholdNats(let threshold):
            c.pointee.threshold_nats = try WireReader.finite(threshold, "threshold_nats")
            c.pointee.criterion_case = TURBINE__V1__PRUNING__CRITERION_THRESHOLD_NATS
        case .headShare(let share):
            c.pointee.head_share = try WireReader.finite(share, "head_share")
            c.pointee.criterion_case = TURBINE__V1__PRUNING__CRITERION_HEAD_SHARE
        }
    }

    /// Nil if the record has neither.
    init?(reading c: UnsafePointer<Turbine__V1__Pruning>) throws(WireError) {
        switch c.pointee.criterion_case {
        case TURBINE__V1__PRUNING__CRITERION_THRESHOLD_NATS:
            self = .thresholdNats(
                try WireReader.finite(c.pointee.threshold_nats, "threshold_nats"))
        case TURBINE__V1__PRUNING__CRITERION_HEAD_SHARE:
            self = .headShare(try WireReader.finite(c.pointee.head_share, "head_share"))
        default:
            return nil
        }
    }
}
