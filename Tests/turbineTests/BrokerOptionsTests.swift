// A broker's configuration, as its options and the preset file make it.

import BrokerService
import Foundation
import ImagePipeline
import Testing

@testable import turbine

@Suite struct BrokerOptionsTests {
    @Test func `what requests leave open is read from the presets`() throws {
        let options = try BrokerOptions.parse(["--data", "unused"])
        let configuration = try options.configuration()
        let shapes = configuration.presetShapes
        #expect(shapes["emoji"] == .init(width: 128, height: 128, steps: 8))
        #expect(shapes["landscape"] == .init(width: 1280, height: 720, steps: 8))
        #expect(shapes["default"] == configuration.defaultShape)
        #expect(configuration.defaultShape == .init(width: 1024, height: 1024, steps: 40))
    }

    @Test func `a preset takes from the default one what it does not say`() throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "turbine-presets-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try """
        {"default_preset": {"width": 64, "num_inference_steps": 5},
         "presets": {"pair": {"height": 32, "num_images": 2}}}
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let options = try BrokerOptions.parse(["--data", "unused", "--presets", path])
        let configuration = try options.configuration()
        #expect(
            configuration.presetShapes["pair"]
                == .init(width: 64, height: 32, steps: 5, images: 2))
        #expect(configuration.defaultShape == .init(width: 64, height: 1024, steps: 5))
    }

    @Test func `a preset file that is named has to be there`() throws {
        let options = try BrokerOptions.parse(["--data", "unused", "--presets", "/no/such.json"])
        #expect(throws: GenerationError.self) { try options.configuration() }
    }
}
