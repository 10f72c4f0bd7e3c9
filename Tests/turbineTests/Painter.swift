// A worker without a model, so that broker and status page can be tried together.
import Foundation
import ImagePipeline
import Synchronization
import TurbineClient
import WireProtocol
import WorkerService

/// Paints one colour, and writes the prompt into the picture's metadata.
final class Painter: ImageGenerating {
    let capabilities = WorkerCapabilities(
        model: ModelDescription(name: "paint", hash: "00ff", numericsClass: "f32/paint"),
        maximumPixels: 1 << 22, version: "test")

    /// The picture that it makes of a prompt.
    static func png(of prompt: String, width: Int, height: Int) throws -> [UInt8] {
        let text = PNGText(
            key: "parameters", value: "\(prompt)\nSteps: 1, Seed: 3, Size: \(width)x\(height)")
        let pixels = [UInt8](repeating: 200, count: width * height * 3)
        return try PNGEncoder.encode(pixels: pixels, width: width, height: height, text: [text])
    }

    func warmUp() throws -> Double? { 0.01 }

    func generate(_ work: WorkOrder, control: WorkControl) throws -> WorkSummary {
        guard case .prompt(let prompt) = work.request.text, prompt != "impossible" else {
            throw WorkerError(.invalidRequest, "it cannot be painted")
        }
        let (width, height) = (Int(work.request.width ?? 256), Int(work.request.height ?? 256))
        control.onImage(
            GeneratedImage(
                seed: 3, width: UInt32(width), height: UInt32(height),
                png: try Painter.png(of: prompt, width: width, height: height),
                pixelSHA256: [UInt8](repeating: 0, count: 32)), true)
        return WorkSummary(imageCount: 1, seconds: StageSeconds())
    }
}

/// A painter at work for a broker until it is stopped.
final class PaintShop: Sendable {
    private let isStopped = Atomic(false)
    private let hasEnded = Atomic(false)

    init(broker: String) {
        Thread.detachNewThread {
            let worker = Worker(
                options: WorkerOptions(broker: broker, name: "painter"),
                isStopRequested: { self.isStopped.load(ordering: .relaxed) },
                makeGenerator: { Painter() })
            try? worker.run()
            self.hasEnded.store(true, ordering: .relaxed)
        }
    }

    func stop() async throws {
        isStopped.store(true, ordering: .relaxed)
        for _ in 0..<600 where !hasEnded.load(ordering: .relaxed) {
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
