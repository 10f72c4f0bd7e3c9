// Results as the broker stores them, and snapshots that list them.
import ImagePipeline
import QueueCore
import Testing
import WireProtocol

enum Results {
    /// A stored reply with one image.
    static func encoded(
        _ pixels: [UInt8], width: Int, height: Int, text: [PNGText] = []
    ) throws -> [UInt8] {
        let png = try PNGEncoder.encode(
            pixels: pixels, width: width, height: height, text: text)
        return try encoded(png: png, width: UInt32(width), height: UInt32(height))
    }

    static func encoded(png: [UInt8], width: UInt32 = 1, height: UInt32 = 1) throws -> [UInt8] {
        let image = GeneratedImage(
            seed: 5, width: width, height: height, png: png,
            pixelSHA256: [UInt8](repeating: 0, count: 32))
        return try ServerMessage(.completed(JobCompleted(jobID: 1, images: [image]))).encoded()
    }

    /// What a queue shows after it completed these jobs; a result's handle is its job's number.
    static func snapshot(completed jobs: ClosedRange<UInt64>) throws -> QueueSnapshot {
        var rows: [DurableJob] = []
        for number in jobs {
            var state = JobState()
            state.attempt = 1
            state.endedAt = Instant(microseconds: Int64(number))
            state.phase = .ended(
                .completed(ResultSummary(blob: BlobHandle(number: number), byteCount: 100)))
            rows.append(
                DurableJob(
                    id: JobID(number: number), client: ClientID(name: "c"),
                    submission: Submission(
                        request: RequestID(key: "\(number)"),
                        shape: JobShape(pixels: 4, steps: 1, images: 1)),
                    fingerprint: 0, acceptedAt: Instant(microseconds: 0), state: state))
        }
        var effects: [QueueEffect] = []
        let queue = try JobQueue(
            recovering: JournalSnapshot(lastJob: jobs.upperBound, jobs: rows),
            limits: QueueLimits(), at: Instant(microseconds: 1000), into: &effects)
        let snapshot = queue.snapshot()
        try #require(snapshot.endedJobs.count == jobs.count)
        return snapshot
    }
}
