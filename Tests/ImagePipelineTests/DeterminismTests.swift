// The same request gives the same bytes.
import TensorCore
import TestSupport
import Testing

@testable import ImagePipeline

@Suite struct DeterminismTests {
    private func request(pruning: PruningOptions?) -> GenerationRequest {
        var request = GenerationRequest(
            prompt: "cat face", width: 128, height: 96, stepCount: 4, guidance: 2, seed: 11)
        request.pruning = pruning
        return request
    }

    @Test(arguments: [nil, PruningOptions(criterion: .share(0.37), judgingInterval: 2)])
    func threadsDoNotMatter(_ pruning: PruningOptions?) throws {
        let request = request(pruning: pruning)
        let folder = Repository.path("Models/emoji")
        let images = try [1, 2, 3, 2].map { threads in
            try pixels(ImageGenerator(modelFolder: folder, threadCount: threads), request)
        }
        #expect(images.allSatisfy { $0 == images[0] })
    }

    @Test func anImageDoesNotDependOnItsPlaceInTheRequest() throws {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 2)
        var request = request(pruning: nil)
        request.imageCount = 3
        let together = try pixels(generator, request)
        #expect(together.count == 3)
        request.imageCount = 1
        for (index, image) in together.enumerated() {
            request.seed = 11 + UInt64(index)
            let alone = try pixels(generator, request)
            #expect(alone == [image])
        }
        #expect(together[0] != together[1])
    }

    @Test(arguments: 1...3) func aStoppedGenerationGoesOnBitByBit(_ stop: Int) throws {
        let request = request(
            pruning: PruningOptions(criterion: .share(0.37), judgingInterval: 3))
        let folder = Repository.path("Models/emoji")
        let undisturbed = try pixels(ImageGenerator(modelFolder: folder, threadCount: 2), request)
        let path = TemporaryFiles.path("state-\(stop).safetensors")

        var control = GenerationControl()
        control.stopAfterStep = stop
        control.onStep = { try $0.denoising.state.write(to: path) }
        let first = try ImageGenerator(modelFolder: folder, threadCount: 2)
        let stopped = try pixels(first, request, control: control)
        #expect(stopped.isEmpty)

        let second = try ImageGenerator(modelFolder: folder, threadCount: 1)
        var resumed = GenerationControl()
        var steps = 0
        resumed.initialState = { _ in try second.readState(path: path, for: request) }
        resumed.onStep = { _ in steps += 1 }
        let continued = try pixels(second, request, control: resumed)
        #expect(continued == undisturbed)
        #expect(steps == request.stepCount - stop)
    }

    @Test func aStateOfAnotherRequestIsRefused() throws {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 1)
        var request = request(pruning: nil)
        let path = TemporaryFiles.path("other.safetensors")
        var control = GenerationControl()
        control.stopAfterStep = 1
        control.onStep = { try $0.denoising.state.write(to: path) }
        _ = try pixels(generator, request, control: control)
        request.prompt = "dog face"
        var resumed = GenerationControl()
        resumed.initialState = { _ in try generator.readState(path: path, for: request) }
        let error = #expect(throws: GenerationError.self) {
            try pixels(generator, request, control: resumed)
        }
        #expect(error?.code == .invalidLatents)
        request.width = 64
        #expect(throws: GenerationError.self) {
            try generator.readState(path: path, for: request)
        }
    }

    @Test func cancellationIsSeenBetweenBlocks() throws {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 1)
        var control = GenerationControl()
        // 3 text layers less one, then 1 + 6 blocks a step: the 12th question falls into step 1.
        var questions = 0
        var steps = 0
        control.isCancelled = {
            questions += 1
            return questions == 12
        }
        control.onStep = { _ in steps += 1 }
        let error = #expect(throws: GenerationError.self) {
            try pixels(generator, request(pruning: nil), control: control)
        }
        #expect(error?.code == .cancelled)
        #expect(questions == 12 && steps == 0)
    }

    @Test func previewsAreSmallPictures() throws {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 2)
        var request = request(pruning: nil)
        request.width = 256
        var control = GenerationControl()
        var sizes: [[Int]] = []
        control.onStep = { event in
            let image = try PNGDecoder().decode(try event.preview(), name: "preview")
            sizes.append([image.width, image.height])
        }
        _ = try pixels(generator, request, control: control)
        #expect(sizes == Array(repeating: [128, 48], count: 4))
    }

    /// 256 by 96 pixels are 32 by 12 cells, averaged down by whole factors.
    @Test(arguments: [
        (8, [8, 8]), (20, [16, 8]), (64, [64, 24]), (100, [80, 32]), (256, [256, 96]),
        (1024, [256, 96]),
    ])
    func previewsAreAtMostAsLargeAsWished(side: Int, size: [Int]) throws {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 2)
        var request = request(pruning: nil)
        request.width = 256
        var control = GenerationControl()
        control.stopAfterStep = 1
        var sizes: [[Int]] = []
        control.onStep = { event in
            let png = try event.preview(maximumSide: side)
            let image = try PNGDecoder().decode(png, name: "preview")
            sizes.append([image.width, image.height])
        }
        _ = try pixels(generator, request, control: control)
        #expect(sizes == [size])
    }

    /// Latents state who made them: those of another model or another kind of arithmetic, or of
    /// nobody, are refused, and the error names both sides.
    @Test func foreignLatentsAreRefused() throws {
        let generator = try ImageGenerator(
            modelFolder: Repository.path("Models/emoji"), threadCount: 1)
        let request = request(pruning: nil)
        var control = GenerationControl()
        control.stopAfterStep = 2
        var kept: DenoisingState?
        control.onStep = { kept = $0.denoising.state }
        _ = try pixels(generator, request, control: control)
        let own = try #require(kept)
        let back = try generator.readState(contents: try own.encoded(), for: request)
        #expect(back.current.step == 2 && back.origin == generator.origin)

        let otherHash = String(repeating: "7", count: 64)
        let origins: [(DenoisingState.Origin?, String)] = [
            (.init(modelHash: otherHash, numericsClass: generator.numericsClass), "77777777"),
            (.init(modelHash: generator.modelHash, numericsClass: "f8/abacus"), "f8/abacus"),
            (nil, "a model that they do not state"),
        ]
        for (origin, name) in origins {
            var foreign = own
            foreign.origin = origin
            let error = #expect(throws: GenerationError.self) {
                try generator.readState(contents: try foreign.encoded(), for: request)
            }
            #expect(error?.code == .invalidLatents && error?.what.contains(name) == true)
            #expect(error?.what.contains(generator.numericsClass) == true)
        }
    }
}
