// An engine without a model: steps of a set length, images of a few bytes.

import Foundation
import Synchronization
import WireProtocol

@testable import WorkerService

/// What a stub did, and what it is to do.
final class StubScript: Sendable {
    struct State {
        var stepSeconds = 0.01
        /// Burn a processor in each step instead of sleeping.
        var spins = false
        var warmUpError: WorkerError?
        /// By the request's prompt.
        var errors: [String: WorkerError] = [:]
        var orders: [WorkOrder] = []
        var stepsDone = 0
    }

    private let state = Mutex(State())

    init(_ change: @Sendable (inout State) -> Void = { _ in }) {
        state.withLock { change(&$0) }
    }

    var now: State { state.withLock { $0 } }
    func note(_ order: WorkOrder) { state.withLock { $0.orders.append(order) } }
    func noteStep() { state.withLock { $0.stepsDone += 1 } }
}

final class StubGenerator: ImageGenerating {
    let script: StubScript
    let capabilities = WorkerCapabilities(
        model: ModelDescription(name: "stub", hash: "abc", numericsClass: "f32/test"),
        maximumPixels: 1 << 20, version: "test",
        defaultShape: DefaultShape(width: 128, height: 128, steps: 24))

    init(_ script: StubScript) { self.script = script }

    func warmUp() throws -> Double? {
        if let error = script.now.warmUpError { throw error }
        return script.now.stepSeconds
    }

    func generate(_ work: WorkOrder, control: WorkControl) throws -> WorkSummary {
        script.note(work)
        if case .prompt(let prompt) = work.request.text, let error = script.now.errors[prompt] {
            throw error
        }
        let count = Int(work.request.imageCount ?? 1)
        let steps = Int(work.request.steps ?? 4)
        control.onStage(.textEncoding, 0)
        for image in Int(work.resume?.imageIndex ?? 0)..<count {
            let isResumed = work.resume.map { Int($0.imageIndex) == image } ?? false
            for step in (isResumed ? Int(work.resume?.step ?? 0) : 0)..<steps {
                try doStep(control)
                let resume = ResumeState(
                    imageIndex: UInt32(image), step: UInt32(step + 1), latents: [UInt8(step + 1)])
                control.onStep(
                    WorkStep(
                        imageIndex: image, imageCount: count, step: step + 1, stepCount: steps,
                        seconds: script.now.stepSeconds, resume: resume))
            }
            control.onImage(
                GeneratedImage(index: UInt32(image), seed: UInt64(image), png: [1, 2, 3]),
                image + 1 == count)
        }
        return WorkSummary(imageCount: count, seconds: StageSeconds(denoising: 1))
    }

    /// A step of blocks: cancellation is looked for between them.
    private func doStep(_ control: WorkControl) throws {
        let end = ContinuousClock.now + .seconds(script.now.stepSeconds)
        while ContinuousClock.now < end {
            if control.isCancelled() { throw WorkerError.cancellation }
            if !script.now.spins { usleep(1000) }
        }
        script.noteStep()
    }
}
