// Messages that are nearly right, and some that are not at all: what a broken or a hostile peer
// sends.

import WireProtocol

struct MalformedFrames {
    private let clientFrames: [[UInt8]]
    private let workerFrames: [[UInt8]]

    init() throws {
        // A width of 17 is refused, so that a change that leaves the message whole makes no job.
        var generate = GenerateRequest.benchmark(0)
        generate.request.width = 17
        let job = JobReference.jobID(.max)
        clientFrames = try [
            .generate(generate), .attach(AttachRequest(job: job)),
            .cancel(CancelRequest(job: job)), .getStatus, .listJobs(ListJobsRequest(limit: 1)),
            .releaseQuarantine(ReleaseQuarantineRequest(jobID: .max)),
        ].map { try ClientMessage(correlation: 7, $0).encoded() }
        let lease = LeaseReference(jobID: .max, attempt: 1)
        let image = GeneratedImage(png: [1, 2, 3], pixelSHA256: [UInt8](repeating: 1, count: 32))
        let resume = ResumeState(step: 1, latents: [UInt8](repeating: 1, count: 100))
        workerFrames = try [
            .register(RegisterWorker(name: "w", model: ModelDescription(name: "m", hash: "h"))),
            .heartbeat(WorkerHeartbeat(sequence: 1, lease: lease)),
            .stepReport(StepReport(lease: lease, step: 1, steps: 8, resume: resume)),
            .imageFinished(ImageFinished(lease: lease, image: image)),
            .workCompleted(WorkCompleted(lease: lease, images: [image], imageCount: 1)),
            .workFailed(WorkFailed(lease: lease, error: ServiceError(code: .outOfMemory))),
            .handBack(HandBack(lease: lease, resume: resume)),
        ].map { (message: WorkerMessage) in try message.encoded() }
    }

    /// The next message, by its frames.
    func next(forWorker: Bool, using generator: inout SeededGenerator) -> [[UInt8]] {
        let frames = forWorker ? workerFrames : clientFrames
        let frame = frames[Int.random(in: 0..<frames.count, using: &generator)]
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return [Array(frame.prefix(Int.random(in: 0..<frame.count, using: &generator)))]
        case 1, 2: return [flipped(frame, &generator)]
        case 3:
            let other = frames[Int.random(in: 0..<frames.count, using: &generator)]
            let cut = Int.random(in: 0..<frame.count, using: &generator)
            return [Array(frame.prefix(cut)) + other.suffix(other.count / 2)]
        case 4:
            return [bytes(Int.random(in: 0..<300, using: &generator), &generator)]
        case 5: return [nested(Int.random(in: 1..<60, using: &generator))]
        case 6:
            // Several parts, the delimiter among them.
            let count = Int.random(in: 2..<20, using: &generator)
            return (0..<count).map { _ in
                bytes(Int.random(in: 0..<20, using: &generator), &generator)
            }
        default: return [frame + bytes(Int.random(in: 1..<40, using: &generator), &generator)]
        }
    }

    private func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// A few bits the other way round.
    private func flipped(_ frame: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = frame
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
        return bytes
    }

    /// Messages within messages, deeper than any of the protocol.
    private func nested(_ depth: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<depth where bytes.count < 120 { bytes = [0x52, UInt8(bytes.count)] + bytes }
        return bytes
    }
}
