// The engine behind the worker's protocol, with the model of the repository.
import Foundation
import ImagePipeline
import Testing
import WireProtocol
import WorkerService

@testable import turbine

@Suite(.serialized) struct EngineAdapterTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Models/emoji").path

    /// What a run reported.
    private struct Outcome {
        var steps: [WorkStep] = []
        var images: [GeneratedImage] = []
    }

    private static func request() -> WireProtocol.GenerationRequest {
        WireProtocol.GenerationRequest(
            text: .prompt("red heart"), width: 256, height: 96, steps: 3, guidance: 0, seed: 4,
            imageCount: 2)
    }

    private func run(
        _ adapter: EngineAdapter, resume: ResumeState? = nil, preview: PreviewWish? = nil
    ) throws -> Outcome {
        var outcome = Outcome()
        let control = WorkControl(
            onStep: { outcome.steps.append($0) },
            onImage: { image, _ in outcome.images.append(image) })
        _ = try adapter.generate(
            WorkOrder(
                lease: LeaseReference(jobID: 1, attempt: 1), request: Self.request(),
                preview: preview, resume: resume), control: control)
        return outcome
    }

    @Test func previewsKeepToTheWishedSide() throws {
        let adapter = try EngineAdapter(modelFolder: Self.folder, threadCount: 2)
        let outcome = try run(adapter, preview: PreviewWish(everySteps: 2, maximumSide: 64))
        let sizes = try outcome.steps.map { step -> Int? in
            guard !step.previewPNG.isEmpty else { return nil }
            return try PNGDecoder().decode(step.previewPNG, name: "preview").width
        }
        #expect(sizes == [nil, 64, nil, nil, 64, nil])
    }

    @Test func goesOnInTheSecondImageAndRefusesWhatIsForeign() throws {
        let adapter = try EngineAdapter(modelFolder: Self.folder, threadCount: 2)
        let whole = try run(adapter)
        #expect(whole.images.count == 2 && whole.steps.count == 6)
        var resume = whole.steps[4].resume
        #expect(resume.imageIndex == 1 && resume.step == 2)
        let rest = try run(adapter, resume: resume)
        #expect(rest.steps.count == 1)
        #expect(rest.images.map(\.pixelSHA256) == [whole.images[1].pixelSHA256])

        // The hash is in the metadata as text, so latents of another model are made easily.
        let hash = Array(adapter.capabilities.model.hash.utf8)
        let start = try #require(resume.latents.firstRange(of: hash)).lowerBound
        resume.latents[start] = resume.latents[start] == 0x30 ? 0x31 : 0x30
        let error = #expect(throws: WorkerError.self) { try run(adapter, resume: resume) }
        #expect(error?.code == .invalidResumeState)
        #expect(error?.serviceError.field == ServiceError.resumeField)
        #expect(error?.serviceError.retryable == true)
    }
}
