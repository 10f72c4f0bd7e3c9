// What `turbine inspect` says of sound checkpoints.
import Foundation
import TestSupport
import Testing

@Suite struct InspectTests {
    @Test func tellsWhatTheBoxModelIs() throws {
        let outcome = try Turbine.run(["inspect", Turbine.boxModel])
        #expect(outcome.succeeded)
        #expect(
            outcome.output.hasPrefix("emoji: a sound checkpoint of the Z-Image family\nsha256 "))
        for line in ["bfloat16, 1 file", "image sizes: multiples of 16", "shift 3.0"] {
            #expect(outcome.output.contains(line), "\(line)")
        }
    }

    @Test(arguments: GoldenData.checkpoints) func tellsInJSON(checkpoint: String) throws {
        let outcome = try Turbine.run(
            ["inspect", "--json", Repository.path("Tests/Golden/\(checkpoint)/")])
        let document = try outcome.json()
        #expect(document["isSound"] as? Bool == true)
        #expect(document["name"] as? String == checkpoint)
        #expect((document["sha256"] as? String)?.count == 64)
        let components = try #require(document["components"] as? [[String: Any]])
        #expect(
            components.compactMap { $0["name"] as? String } == [
                "text_encoder", "transformer", "vae",
            ])
        for component in components {
            #expect(component["parameters"] as? Int ?? 0 > 0)
            #expect(component["bytes"] as? Int ?? 0 > 0)
        }
        let transformer = components[1]
        let type = ["a": "float32", "b": "bfloat16", "c": "float16", "d": "bfloat16"]
        let expected = try #require(type[String(checkpoint.prefix(1))])
        #expect(transformer["elementTypes"] as? [String] == [expected])
        let isSharded = checkpoint.contains("sharded")
        #expect(transformer["files"] as? Int == (isSharded ? 8 : 1))
        let facts = try #require(document["facts"] as? [String: String])
        #expect(facts.count >= 6)
    }

    @Test func theHashFollowsTheContent() throws {
        func hash(_ copy: CheckpointCopy) throws -> String? {
            try Turbine.run(["inspect", "--json", copy.path]).json()["sha256"] as? String
        }
        let (first, second) = (try CheckpointCopy(), try CheckpointCopy())
        let before = try hash(first)
        #expect(try hash(second) == before)
        try second.weights(DamagedCheckpointTests.vae) { $0.fill($0.names[3], with: 1) }
        #expect(try hash(second) != before)
        try first.json("scheduler/scheduler_config.json") { $0["shift"] = 2.5 }
        #expect(try hash(first) != before)
    }
}
