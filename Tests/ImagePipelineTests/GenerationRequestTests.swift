// Bounds on requests, and requests from presets.
import TestSupport
import Testing

@testable import ImagePipeline

@Suite struct GenerationRequestTests {
    private let valid = GenerationRequest(
        prompt: "", width: 64, height: 64, stepCount: 8, guidance: 0, seed: 0)

    @Test func aValidRequestPasses() throws {
        try valid.validate()
    }

    @Test(arguments: Self.faults)
    func aFieldAtFaultIsNamed(_ fault: Fault) {
        var request = valid
        fault.change(&request)
        let error = #expect(throws: GenerationError.self) { try request.validate() }
        #expect(error?.field == fault.field)
    }

    struct Fault: Sendable {
        let field: String
        let change: @Sendable (inout GenerationRequest) -> Void

        init(_ field: String, _ change: @escaping @Sendable (inout GenerationRequest) -> Void) {
            self.field = field
            self.change = change
        }
    }

    private static let faults = [
        Fault("width") { $0.width = 0 },
        Fault("width") { $0.width = -16 },
        Fault("width") { $0.width = 100 },
        Fault("width") { $0.width = 16384 },
        Fault("height") { $0.height = 1 << 40 },
        Fault("width and height") { ($0.width, $0.height) = (8192, 8192) },
        Fault("steps") { $0.stepCount = 0 },
        Fault("steps") { $0.stepCount = 10000 },
        Fault("count") { $0.imageCount = 0 },
        Fault("count") { $0.imageCount = 1_000_000 },
        Fault("guidance") { $0.guidance = .nan },
        Fault("guidance") { $0.guidance = .infinity },
        Fault("guidance") { $0.guidance = -1 },
        Fault("cfg normalization") { $0.guidanceNormalization = .nan },
        Fault("cfg truncation") { $0.guidanceTruncation = -.infinity },
        Fault("prompt") { $0.prompt = String(repeating: "a", count: 1 << 20) },
        Fault("prompt") { $0.prompt = "a\0b" },
        Fault("negative prompt") { $0.negativePrompt = "\0" },
        Fault("prune threshold") { $0.pruning = PruningOptions(criterion: .threshold(.nan)) },
        Fault("prune share") { $0.pruning = PruningOptions(criterion: .share(1.5)) },
        Fault("prune interval") { $0.pruning?.judgingInterval = 0 },
        Fault("tile size") { $0.tiling.tileSize = 0 },
        Fault("tile overlap") { $0.tiling.overlap = 60 },
        Fault("tile memory budget") { $0.tiling.memoryBudget = 0 },
    ]

    @Test func presetFieldsBecomeTheRequest() throws {
        let library = try PresetLibrary(file: Repository.path("config/default.json"))
        let request = GenerationRequest(
            prompt: "x", settings: library.defaultPreset, seed: 5)
        #expect(request.width == 1024 && request.height == 1024 && request.stepCount == 40)
        #expect(request.guidance == 7.5)
        #expect(request.negativePrompt == "low quality, blurry, distorted, extra fingers")
        #expect(request.pruning == PruningOptions(criterion: .threshold(0.1)))
        var settings = try library.preset(named: "turbo")
        #expect(settings.stepCount == 8 && settings.guidance == 0)
        settings.pruneShare = 0.37
        let share = GenerationRequest(prompt: "x", settings: settings, seed: 5).pruning
        #expect(share?.criterion == .share(0.37))
        settings.prune = false
        #expect(GenerationRequest(prompt: "x", settings: settings, seed: 5).pruning == nil)
    }
}
