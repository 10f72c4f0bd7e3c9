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
}
