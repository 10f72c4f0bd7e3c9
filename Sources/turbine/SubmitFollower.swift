// What `turbine submit` and `turbine attach` do while a job runs: the bar, previews, the files.
import Foundation
import ImagePipeline
import TurbineClient
import WireProtocol

/// Follows one job to its end and writes its images.
struct JobFollower: Sendable {
    /// With several images FILE-0.png, FILE-1.png …; nil: images are not written.
    let output: String?
    let previewOutput: String?
    let isQuiet: Bool

    /// - Returns: the result, after its images are on disk.
    func follow(_ events: TurbineClient.JobEvents) async throws -> JobCompleted {
        let bar = ProgressBar(isVisible: !isQuiet && StandardError.isTerminal)
        defer { bar.clear() }
        for try await event in events {
            switch event {
            case .accepted(let reply):
                bar.clear()
                if !isQuiet { StandardError.write(Self.sentence(reply)) }
            case .progress(let progress):
                show(progress, bar)
                if let previewOutput, !progress.previewPNG.isEmpty {
                    try AtomicFile.write(progress.previewPNG, to: previewOutput)
                }
            case .completed(let result):
                bar.clear()
                try write(result)
                return result
            case .failed(let failure): throw ClientError(failure.error)
            case .cancelled(let end):
                throw ClientError(.cancelled, "job \(end.jobID) was cancelled (\(end.reason))")
            }
        }
        throw ClientError(.closed, "the connection was closed before the job ended")
    }

    static func sentence(_ reply: JobAccepted) -> String {
        var sentence = "job \(reply.jobID) (\(reply.requestID)): \(reply.state)"
        if reply.state == .queued { sentence += ", \(reply.placeInQueue) ahead" }
        if let hold = reply.hold.sentence { sentence += ", on hold: \(hold)" }
        if let end = reply.estimatedEndMilliseconds {
            sentence += String(format: ", done in about %.1f s", Double(end) / 1000)
        }
        return sentence
    }

    private func show(_ progress: JobProgress, _ bar: ProgressBar) {
        guard progress.steps > 0 else { return }
        let steps = Int(progress.steps)
        bar.show(
            done: Int(progress.imageIndex) * steps + Int(progress.step),
            total: max(Int(progress.imageCount), 1) * steps, label: "\(progress.stage)")
    }

    private func write(_ result: JobCompleted) throws {
        guard let output else { return }
        for image in result.images {
            let path =
                result.images.count == 1 ? output : numberedPath(output, Int(image.index))
            try AtomicFile.write(image.png, to: path)
            if !isQuiet { print(path) }
        }
    }
}

extension JobHold {
    /// What is missing, for a person; nil: nothing.
    var sentence: String? {
        switch self {
        case .unspecified: nil
        case .noWorker: "no worker is connected"
        case .modelNotLoaded: "no connected worker has the model"
        case .imageTooLarge: "no connected worker makes images as large"
        }
    }
}

/// `dir/name.png` → `dir/name-3.png`
func numberedPath(_ path: String, _ index: Int) -> String {
    let url = URL(fileURLWithPath: path)
    let name = url.deletingPathExtension().lastPathComponent
    let suffix = url.pathExtension.isEmpty ? "" : ".\(url.pathExtension)"
    let folder = (path as NSString).deletingLastPathComponent
    return (folder as NSString).appendingPathComponent("\(name)-\(index)\(suffix)")
}
