// JobResults.swift to and from the records of protoc-c.

import CTurbineProto

extension ServiceError: WireRecord {
    typealias Record = Turbine__V1__Error

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__error__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.code = .init(rawValue: code.rawValue)
        c.pointee.field = try arena.text(field, "field", WireLimits.sentenceBytes)
        c.pointee.sentence = try arena.text(sentence, "sentence", WireLimits.sentenceBytes)
        c.pointee.retryable = retryable ? 1 : 0
        if let retryAfterMilliseconds {
            c.pointee.retry_after_ms = retryAfterMilliseconds
            c.pointee.has_retry_after_ms_case =
                TURBINE__V1__ERROR__HAS_RETRY_AFTER_MS_RETRY_AFTER_MS
        }
        if let estimatedMilliseconds {
            c.pointee.estimated_ms = estimatedMilliseconds
            c.pointee.has_estimated_ms_case =
                TURBINE__V1__ERROR__HAS_ESTIMATED_MS_ESTIMATED_MS
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        code = ErrorCode(tolerating: c.pointee.code.rawValue)
        field = try WireReader.text(c.pointee.field, "field", WireLimits.sentenceBytes)
        sentence = try WireReader.text(c.pointee.sentence, "sentence", WireLimits.sentenceBytes)
        retryable = c.pointee.retryable != 0
        retryAfterMilliseconds =
            c.pointee.has_retry_after_ms_case.rawValue == 0
            ? nil : c.pointee.retry_after_ms
        estimatedMilliseconds =
            c.pointee.has_estimated_ms_case.rawValue == 0
            ? nil : c.pointee.estimated_ms
    }
}

extension GeneratedImage: WireRecord {
    typealias Record = Turbine__V1__Image

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__image__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.index = index
        c.pointee.seed = seed
        c.pointee.width = width
        c.pointee.height = height
        c.pointee.png = try arena.bytes(png, "png", WireLimits.imageBytes)
        c.pointee.pixel_sha256 = try arena.bytes(pixelSHA256, "pixel_sha256", WireLimits.hashBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        index = c.pointee.index
        seed = c.pointee.seed
        width = c.pointee.width
        height = c.pointee.height
        png = try WireReader.bytes(c.pointee.png, "png", WireLimits.imageBytes)
        pixelSHA256 = try WireReader.bytes(
            c.pointee.pixel_sha256, "pixel_sha256", WireLimits.hashBytes)
    }
}

extension StageSeconds: WireRecord {
    typealias Record = Turbine__V1__StageSeconds

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__stage_seconds__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.queued = try WireReader.finite(queued, "queued")
        c.pointee.text_encoding = try WireReader.finite(textEncoding, "text_encoding")
        c.pointee.denoising = try WireReader.finite(denoising, "denoising")
        c.pointee.decoding = try WireReader.finite(decoding, "decoding")
        c.pointee.png_encoding = try WireReader.finite(pngEncoding, "png_encoding")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        queued = try WireReader.finite(c.pointee.queued, "queued")
        textEncoding = try WireReader.finite(c.pointee.text_encoding, "text_encoding")
        denoising = try WireReader.finite(c.pointee.denoising, "denoising")
        decoding = try WireReader.finite(c.pointee.decoding, "decoding")
        pngEncoding = try WireReader.finite(c.pointee.png_encoding, "png_encoding")
    }
}

extension PruningReport: WireRecord {
    typealias Record = Turbine__V1__PruningReport

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__pruning_report__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.attention_work_saved = try WireReader.finite(
            attentionWorkSaved, "attention_work_saved")
        c.pointee.total_work_saved = try WireReader.finite(totalWorkSaved, "total_work_saved")
        c.pointee.heads_idle = try WireReader.finite(headsIdle, "heads_idle")
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        attentionWorkSaved = try WireReader.finite(
            c.pointee.attention_work_saved, "attention_work_saved")
        totalWorkSaved = try WireReader.finite(c.pointee.total_work_saved, "total_work_saved")
        headsIdle = try WireReader.finite(c.pointee.heads_idle, "heads_idle")
    }
}
