// Random values of every message: each optional field present or absent, each list short.

@testable import WireProtocol

extension GenerationRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            text: .random(&r), preset: r.maybe { $0.text() }, negativePrompt: r.maybe { $0.text() },
            width: r.maybe { $0.number() }, height: r.maybe { $0.number() },
            steps: r.maybe { $0.number() }, guidance: r.maybe { $0.real() },
            cfgNormalization: r.maybe { $0.real() }, cfgTruncation: r.maybe { $0.real() },
            seed: r.maybe { $0.number() }, imageCount: r.maybe { $0.number() },
            pruning: r.maybe { .random(&$0) }, tiling: r.maybe { .random(&$0) },
            output: r.maybe { .random(&$0) }, model: r.maybe { $0.text() })
    }
}

extension TemplatePrompt {
    static func random(_ r: inout RandomSource) -> Self {
        Self(name: r.text(), slots: r.list { .random(&$0) })
    }
}

extension SlotValue {
    static func random(_ r: inout RandomSource) -> Self {
        Self(slot: r.text(), value: r.text())
    }
}

extension PruningOptions {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            enabled: r.maybe { $0.flag() }, criterion: .random(&r),
            rejudgeIntervalSteps: r.maybe { $0.number() })
    }
}

extension TilingOptions {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            mode: .random(&r), tileCells: r.maybe { $0.number() },
            overlapCells: r.maybe { $0.number() }, blend: .random(&r),
            memoryBudgetBytes: r.maybe { $0.number() })
    }
}

extension OutputOptions {
    static func random(_ r: inout RandomSource) -> Self {
        Self(metadata: r.maybe { $0.flag() }, pngCompression: r.maybe { $0.number() })
    }
}

extension PreviewWish {
    static func random(_ r: inout RandomSource) -> Self {
        Self(everySteps: r.number(), maximumSide: r.maybe { $0.number() })
    }
}

extension ServiceError {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            code: .random(&r), field: r.text(), sentence: r.text(), retryable: r.flag(),
            retryAfterMilliseconds: r.maybe { $0.number() },
            estimatedMilliseconds: r.maybe { $0.number() })
    }
}

extension GeneratedImage {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            index: r.number(), seed: r.number(), width: r.number(), height: r.number(),
            png: r.bytes(), pixelSHA256: r.bytes())
    }
}

extension StageSeconds {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            queued: r.real(), textEncoding: r.real(), denoising: r.real(), decoding: r.real(),
            pngEncoding: r.real())
    }
}

extension PruningReport {
    static func random(_ r: inout RandomSource) -> Self {
        Self(attentionWorkSaved: r.real(), totalWorkSaved: r.real(), headsIdle: r.real())
    }
}

extension GenerateRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            requestID: r.text(), request: .random(&r), priority: .random(&r),
            deadlineMilliseconds: r.maybe { $0.number() }, preview: r.maybe { .random(&$0) },
            detachOnDisconnect: r.maybe { $0.flag() }, replies: .random(&r))
    }
}

extension CancelRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(job: .random(&r))
    }
}

extension AttachRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(job: .random(&r), preview: r.maybe { .random(&$0) }, replies: .random(&r))
    }
}

extension ListJobsRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            states: r.list { .random(&$0) }, limit: r.number(), afterJobID: r.number(),
            allClients: r.flag())
    }
}

extension ListQuarantineRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(limit: r.number(), afterJobID: r.number())
    }
}

extension InspectQuarantineRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(jobID: r.number())
    }
}

extension ReleaseQuarantineRequest {
    static func random(_ r: inout RandomSource) -> Self {
        Self(jobID: r.number(), discard: r.flag())
    }
}

extension JobAccepted {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            jobID: r.number(), requestID: r.text(), alreadyKnown: r.flag(), state: .random(&r),
            placeInQueue: r.number(), estimatedStartMilliseconds: r.maybe { $0.number() },
            estimatedEndMilliseconds: r.maybe { $0.number() }, hold: .random(&r))
    }
}

extension JobProgress {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            jobID: r.number(), requestID: r.text(), stage: .random(&r), step: r.number(),
            steps: r.number(), imageIndex: r.number(), imageCount: r.number(), attempt: r.number(),
            remainingMilliseconds: r.maybe { $0.number() }, placeInQueue: r.maybe { $0.number() },
            previewPNG: r.bytes())
    }
}

extension JobCompleted {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            jobID: r.number(), requestID: r.text(), images: r.list { .random(&$0) },
            seconds: r.maybe { .random(&$0) }, worker: r.text(), attempts: r.number(),
            modelName: r.text(), modelHash: r.text(), numericsClass: r.text(),
            pruning: r.maybe { .random(&$0) })
    }
}

extension JobFailed {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            jobID: r.number(), requestID: r.text(), error: .random(&r), attempts: r.number(),
            worker: r.text())
    }
}

extension JobCancelled {
    static func random(_ r: inout RandomSource) -> Self {
        Self(jobID: r.number(), requestID: r.text(), reason: .random(&r), stepsDone: r.number())
    }
}

extension WorkerStatus {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            name: r.text(), host: r.text(), state: .random(&r), modelName: r.text(),
            modelHash: r.text(), numericsClass: r.text(), jobID: r.number(), attempt: r.number(),
            step: r.number(), steps: r.number(), secondsAStep: r.maybe { $0.real() },
            residentBytes: r.number(), connectedMilliseconds: r.number(),
            lastHeardMilliseconds: r.number(), jobsCompleted: r.number())
    }
}

extension OutcomeCount {
    static func random(_ r: inout RandomSource) -> Self {
        Self(code: .random(&r), count: r.number())
    }
}

extension ServiceStatus {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            version: r.text(), uptimeMilliseconds: r.number(), accepting: r.flag(),
            queued: r.number(), running: r.number(), quarantined: r.number(),
            queueCapacity: r.number(), completed: r.number(), failed: r.number(),
            cancelled: r.number(), failuresByCode: r.list { .random(&$0) },
            workers: r.list { .random(&$0) }, droppedMessages: r.number(),
            journalSecondsMedian: r.maybe { $0.real() },
            estimatedWaitMilliseconds: r.maybe { $0.number() })
    }
}

extension JobSummary {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            jobID: r.number(), requestID: r.text(), client: r.text(), state: .random(&r),
            priority: .random(&r), placeInQueue: r.maybe { $0.number() },
            submittedUnixMilliseconds: r.number(), step: r.number(), steps: r.number(),
            attempts: r.number(), worker: r.text(), width: r.number(), height: r.number(),
            imageCount: r.number(), promptExcerpt: r.text(), error: r.maybe { .random(&$0) },
            hold: .random(&r))
    }
}

extension JobList {
    static func random(_ r: inout RandomSource) -> Self {
        Self(jobs: r.list { .random(&$0) }, more: r.flag())
    }
}

extension WorkerDeath {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            attempt: r.number(), worker: r.text(), cause: r.text(), step: r.number(),
            unixMilliseconds: r.number())
    }
}

extension QuarantinedJob {
    static func random(_ r: inout RandomSource) -> Self {
        Self(job: .random(&r), deaths: r.list { .random(&$0) }, request: r.maybe { .random(&$0) })
    }
}

extension QuarantineList {
    static func random(_ r: inout RandomSource) -> Self {
        Self(jobs: r.list { .random(&$0) }, more: r.flag())
    }
}

extension LeaseReference {
    static func random(_ r: inout RandomSource) -> Self {
        Self(jobID: r.number(), attempt: r.number())
    }
}

extension ModelDescription {
    static func random(_ r: inout RandomSource) -> Self {
        Self(name: r.text(), hash: r.text(), numericsClass: r.text())
    }
}

extension RegisterWorker {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            name: r.text(), host: r.text(), processID: r.number(), version: r.text(),
            model: .random(&r), maximumPixels: r.number(), heldLeases: r.list { .random(&$0) },
            incarnation: r.number(),
            defaultShape: r.maybe { .random(&$0) })
    }
}

extension DefaultShape {
    static func random(_ r: inout RandomSource) -> Self {
        Self(width: r.number(), height: r.number(), steps: r.number(), imageCount: r.number())
    }
}

extension WorkerReady {
    static func random(_ r: inout RandomSource) -> Self {
        Self(warmUpSeconds: r.real())
    }
}

extension WorkerHeartbeat {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            sequence: r.number(), lease: r.maybe { .random(&$0) }, stepCounter: r.number(),
            residentBytes: r.number(), secondsAStep: r.maybe { $0.real() }, draining: r.flag())
    }
}

extension ResumeState {
    static func random(_ r: inout RandomSource) -> Self {
        Self(imageIndex: r.number(), step: r.number(), latents: r.bytes(), engineState: r.bytes())
    }
}

extension StepReport {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            lease: .random(&r), stage: .random(&r), step: r.number(), steps: r.number(),
            imageIndex: r.number(), stepSeconds: r.real(), resume: r.maybe { .random(&$0) },
            previewPNG: r.bytes())
    }
}

extension ImageFinished {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: .random(&r), image: .random(&r))
    }
}

extension WorkCompleted {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            lease: .random(&r), images: r.list { .random(&$0) }, seconds: r.maybe { .random(&$0) },
            pruning: r.maybe { .random(&$0) }, imageCount: r.number())
    }
}

extension WorkFailed {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: .random(&r), error: .random(&r))
    }
}

extension WorkCancelled {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: .random(&r), stepsDone: r.number())
    }
}

extension HandBack {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: .random(&r), resume: r.maybe { .random(&$0) })
    }
}

extension Goodbye {
    static func random(_ r: inout RandomSource) -> Self {
        Self(reason: r.text())
    }
}

extension WorkerRegistered {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            heartbeatIntervalMilliseconds: r.number(), missedHeartbeatsAllowed: r.number(),
            revokedLeases: r.list { .random(&$0) })
    }
}

extension HeartbeatReply {
    static func random(_ r: inout RandomSource) -> Self {
        Self(sequence: r.number())
    }
}

extension LeaseGrant {
    static func random(_ r: inout RandomSource) -> Self {
        Self(
            lease: .random(&r), request: .random(&r), deadlineMilliseconds: r.maybe { $0.number() },
            preview: r.maybe { .random(&$0) }, resume: r.maybe { .random(&$0) })
    }
}

extension LeaseRevocation {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: .random(&r), reason: .random(&r))
    }
}

extension DrainOrder {
    static func random(_ r: inout RandomSource) -> Self {
        Self(graceMilliseconds: r.maybe { $0.number() })
    }
}

extension LeaseAcknowledged {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: .random(&r), messageField: r.number(), imageIndex: r.number())
    }
}

extension WorkerRefused {
    static func random(_ r: inout RandomSource) -> Self {
        Self(lease: r.maybe { .random(&$0) }, error: .random(&r))
    }
}

extension ErrorCode: RandomCase {}
extension JobState: RandomCase {}
extension JobHold: RandomCase {}
extension JobPriority: RandomCase {}
extension TilingMode: RandomCase {}
extension TileBlend: RandomCase {}
extension JobStage: RandomCase {}
extension CancelReason: RandomCase {}
extension ReplyMode: RandomCase {}
extension WorkerState: RandomCase {}
