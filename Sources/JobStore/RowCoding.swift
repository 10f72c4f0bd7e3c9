// The parts of a job's row as bytes. The first byte is the form's version.

import QueueCore

/// The version of both forms.
private let rowVersion: UInt64 = 1

extension Submission {
    /// Everything but the request id and the payload, which have columns of their own.
    var encodedDetails: [UInt8] {
        var writer = ByteWriter()
        writer.write(rowVersion)
        writer.write(shape.pixels)
        writer.write(shape.steps)
        writer.write(shape.images)
        writer.write(model) { $0.write($1.hash) }
        writer.write(numericsClass) { $0.write($1.name) }
        writer.write(priority.rawValue)
        writer.write(deadline) { $0.write($1.microseconds) }
        writer.write(UInt64(isDetached ? 1 : 0))
        return writer.bytes
    }

    init(
        request: String, details: [UInt8], payload: [UInt8]
    ) throws(ByteReader.Malformed) {
        var reader = ByteReader(details)
        guard try reader.unsigned() == rowVersion else { throw ByteReader.Malformed() }
        let shape = JobShape(
            pixels: try reader.integer(), steps: try reader.integer(),
            images: try reader.integer())
        let model = try reader.optional { (bytes) throws(ByteReader.Malformed) in
            ModelID(hash: try bytes.text())
        }
        let numericsClass = try reader.optional { (bytes) throws(ByteReader.Malformed) in
            NumericsClass(name: try bytes.text())
        }
        guard let priority = Priority(rawValue: try reader.integer()) else {
            throw ByteReader.Malformed()
        }
        self.init(
            request: RequestID(key: request), shape: shape, model: model,
            numericsClass: numericsClass, priority: priority,
            deadline: try reader.optionalInstant(), isDetached: try reader.flag(),
            payload: payload)
    }
}

extension JobState {
    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(rowVersion)
        phase.write(to: &writer)
        writer.write(UInt64(attempt))
        writer.write(errors)
        writer.write(deaths)
        writer.write(resume) {
            $0.write($1.step)
            $0.write($1.blob.number)
        }
        writer.write(worker) { $0.write($1) }
        writer.write(startedAt) { $0.write($1.microseconds) }
        writer.write(endedAt) { $0.write($1.microseconds) }
        writer.write(origin) {
            $0.write($1.model) { $0.write($1.hash) }
            $0.write($1.numericsClass.name)
        }
        return writer.bytes
    }

    init(encoded: [UInt8]) throws(ByteReader.Malformed) {
        var reader = ByteReader(encoded)
        guard try reader.unsigned() == rowVersion else { throw ByteReader.Malformed() }
        self.init()
        phase = try JobPhase(from: &reader)
        attempt = try reader.small()
        errors = try reader.integer()
        deaths = try reader.integer()
        resume = try reader.optional { (bytes) throws(ByteReader.Malformed) in
            ResumePoint(
                step: try bytes.integer(), blob: BlobHandle(number: try bytes.unsigned()))
        }
        worker = try reader.optional { (bytes) throws(ByteReader.Malformed) in try bytes.text() }
        startedAt = try reader.optionalInstant()
        endedAt = try reader.optionalInstant()
        // Earlier programs wrote no origin, and do not read it: both directions work.
        guard !reader.isAtEnd else { return }
        origin = try reader.optional { (bytes) throws(ByteReader.Malformed) in
            let model = try bytes.optional { (bytes) throws(ByteReader.Malformed) in
                ModelID(hash: try bytes.text())
            }
            return WorkOrigin(
                model: model, numericsClass: NumericsClass(name: try bytes.text()))
        }
    }
}

extension JobPhase {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .waiting: writer.write(UInt64(0))
        case .leased: writer.write(UInt64(1))
        case .quarantined(let quarantine):
            writer.write(UInt64(2))
            writer.write(quarantine.deaths)
            writer.write(quarantine.cause.rawValue)
            writer.write(quarantine.worker)
            writer.write(quarantine.since.microseconds)
        case .ended(.completed(let result)):
            writer.write(UInt64(3))
            writer.write(result.blob.number)
            writer.write(result.byteCount)
        case .ended(.failed(let failure)):
            writer.write(UInt64(4))
            writer.write(failure.code.rawValue)
            writer.write(failure.workerCode) { $0.write($1) }
            writer.write(failure.message)
        case .ended(.cancelled(let reason)):
            writer.write(UInt64(5))
            writer.write(reason.rawValue)
        case .expired: writer.write(UInt64(6))
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteReader.Malformed) {
        switch try reader.unsigned() {
        case 0: self = .waiting
        case 1: self = .leased
        case 2:
            self = .quarantined(
                Quarantine(
                    deaths: try reader.integer(), cause: try reader.choice(DeathCause.self),
                    worker: try reader.text(),
                    since: Instant(microseconds: try reader.signed())))
        case 3:
            self = .ended(
                .completed(
                    ResultSummary(
                        blob: BlobHandle(number: try reader.unsigned()),
                        byteCount: try reader.signed())))
        case 4:
            let code = try reader.choice(OutcomeCode.self)
            let workerCode = try reader.optional { (bytes) throws(ByteReader.Malformed) in
                try bytes.text()
            }
            self = .ended(
                .failed(
                    JobFailure(code: code, workerCode: workerCode, message: try reader.text())))
        case 5: self = .ended(.cancelled(try reader.choice(CancellationReason.self)))
        case 6: self = .expired
        default: throw ByteReader.Malformed()
        }
    }
}

extension ByteReader {
    mutating func optionalInstant() throws(Malformed) -> Instant? {
        try optional { (bytes) throws(Malformed) in Instant(microseconds: try bytes.signed()) }
    }
}
