// Whole generations against diffusers: noise, velocity, latents of every step, pixels.
import Checkpoints
import TensorCore
import TestSupport
import Testing

@testable import ImagePipeline

@Suite struct PipelineParityTests {
    /// Runs every case of some golden data on a model folder.
    private func compare(_ golden: GoldenData, modelFolder: String) throws -> Int {
        let generator = try ImageGenerator(modelFolder: modelFolder, threadCount: 2)
        var compared = 0
        for item in golden.cases["runs"].arrayValue ?? [] {
            let run = try GoldenRun(item)
            let request = run.request
            let conditioning = try generator.encodePrompts(request)
            for index in 0..<request.imageCount {
                let prefix = "pipeline.\(run.name).\(index)"
                let denoising = try Denoising(
                    generator: generator, request: request,
                    conditioning: conditioning, seed: request.seed &+ UInt64(index),
                    resuming: nil)
                try expect(denoising.latents, golden, "\(prefix).noise", Tolerance.noise * 4)
                while !denoising.isFinished {
                    try denoising.advance()
                    let step = denoising.step - 1
                    if step == 0 {
                        let negated = generator.operations.affine(
                            denoising.velocity!, scale: -1, offset: 0)
                        try expect(negated, golden, "\(prefix).velocity.0", Tolerance.latents)
                    }
                    let name = "\(prefix).latents.\(step)"
                    guard golden.contains(name) else { continue }
                    try expect(denoising.latents, golden, name, Tolerance.latents)
                    compared += 1
                }
            }
            try compareImages(generator, request, run, golden)
        }
        return compared
    }

    private func expect(
        _ actual: Tensor, _ golden: GoldenData, _ name: String, _ tolerance: Float
    ) throws {
        let error = relativeError(actual, try golden.tensor(name))
        #expect(error <= tolerance, "\(golden.folder) \(name): \(error)")
    }

    private func compareImages(
        _ generator: ImageGenerator, _ request: GenerationRequest, _ run: GoldenRun,
        _ golden: GoldenData
    ) throws {
        for (index, image) in try pixels(generator, request).enumerated() {
            let expected = try golden.bytes("pipeline.\(run.name).\(index).image")
            try #require(image.count == expected.count)
            let differences = zip(image, expected).map { abs(Int($0) - Int($1)) }
            let mean = Double(differences.reduce(0, +)) / Double(differences.count)
            #expect(differences.max()! <= ImageTolerance.maximum, "\(golden.folder) \(run.name)")
            #expect(mean <= ImageTolerance.mean, "\(golden.folder) \(run.name): \(mean)")
        }
    }

    @Test(arguments: GoldenData.checkpoints) func tinyCheckpoint(_ checkpoint: String) throws {
        let golden = try GoldenData(checkpoint: checkpoint)
        #expect(try compare(golden, modelFolder: golden.folder) >= 4)
    }

    @Test func modelInTheBox() throws {
        let golden = try GoldenData(file: "box")
        let compared = try compare(golden, modelFolder: Repository.path("Models/emoji"))
        #expect(compared == 3)
    }
}

/// A run of the golden cases as a request.
struct GoldenRun {
    let name: String
    let request: GenerationRequest

    init(_ item: JSONValue) throws {
        name = try #require(item["name"].stringValue)
        var request = GenerationRequest(
            prompt: try #require(item["prompt"].stringValue),
            width: try #require(item["width"].intValue),
            height: try #require(item["height"].intValue),
            stepCount: try #require(item["steps"].intValue),
            guidance: Float(try #require(item["guidance"].doubleValue)),
            seed: UInt64(try #require(item["seed"].intValue)))
        request.negativePrompt = item["negative_prompt"].stringValue ?? ""
        request.guidanceNormalization = Float(item["cfg_normalization"].doubleValue ?? 0)
        request.guidanceTruncation = Float(item["cfg_truncation"].doubleValue ?? 1)
        request.imageCount = item["count"].intValue ?? 1
        request.pruning = nil
        self.request = request
    }
}

/// The pixels of a request's images, through PNG encoding and decoding.
func pixels(
    _ generator: ImageGenerator, _ request: GenerationRequest,
    control: GenerationControl = GenerationControl()
) throws -> [[UInt8]] {
    var sinks: [MemorySink] = []
    _ = try generator.generate(request, control: control) { _ in
        sinks.append(MemorySink())
        return ImageOutput(sink: sinks.last!)
    }
    return try sinks.map { try PNGDecoder().decode($0.bytes, name: "generated").pixels }
}
