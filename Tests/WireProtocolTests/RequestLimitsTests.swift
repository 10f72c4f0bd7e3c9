// Requests that no server honours are refused with the field.

import Testing

@testable import WireProtocol

@Suite struct RequestLimitsTests {
    static let bad: [(String, GenerationRequest, WireError.Code)] = [
        ("width", request { $0.width = 0 }, .invalidValue),
        ("width", request { $0.width = 100 }, .invalidValue),
        ("height", request { $0.height = .max }, .limitExceeded),
        ("width", request { ($0.width, $0.height) = (4096, 4096) }, .limitExceeded),
        ("steps", request { $0.steps = 0 }, .invalidValue),
        ("steps", request { $0.steps = 10_000 }, .limitExceeded),
        ("image_count", request { $0.imageCount = 17 }, .limitExceeded),
        ("guidance", request { $0.guidance = -1 }, .invalidValue),
        ("cfg_truncation", request { $0.cfgTruncation = 1.5 }, .limitExceeded),
        (
            "pruning.head_share",
            request { $0.pruning = PruningOptions(criterion: .headShare(2)) }, .limitExceeded
        ),
        (
            "tiling.overlap_cells",
            request { $0.tiling = TilingOptions(tileCells: 64, overlapCells: 64) }, .limitExceeded
        ),
        (
            "template.slots",
            request {
                let slot = SlotValue(slot: "subject", value: "fox")
                $0.text = .template(TemplatePrompt(name: "photo", slots: [slot, slot]))
            }, .invalidValue
        ),
    ]

    static func request(_ change: (inout GenerationRequest) -> Void) -> GenerationRequest {
        var request = GenerationRequest(text: .prompt("fox"))
        change(&request)
        return request
    }

    @Test(arguments: bad.indices) func `is refused`(_ index: Int) {
        let (field, request, code) = Self.bad[index]
        let error = #expect(throws: WireError.self) { try RequestLimits().check(request) }
        #expect(error?.code == code)
        #expect(error?.location == "request.\(field)")
    }

    @Test func `the usual request is taken`() throws {
        let request = Self.request {
            ($0.width, $0.height, $0.steps, $0.guidance) = (1024, 1024, 8, 0)
        }
        try RequestLimits().check(request)
        try RequestLimits().check(GenerationRequest(text: .prompt("")))
    }
}
