// Checkpoints with something wrong: every command names the file and what is wrong with it.
import Foundation
import TestSupport
import Testing

/// A copy of a golden checkpoint, to be damaged.
struct CheckpointCopy {
    let folder: TemporaryFolder
    var path: String { folder.file("model") }

    init(_ name: String = "a-f32-single") throws {
        folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Repository.path("Tests/Golden/\(name)"), toPath: path)
        try FileManager.default.removeItem(atPath: "\(path)/golden")
    }

    func url(_ file: String) -> URL { URL(fileURLWithPath: "\(path)/\(file)") }

    /// Alters a JSON file.
    func json(_ file: String, _ change: (inout [String: Any]) -> Void) throws {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url(file)))
        var fields = object as? [String: Any] ?? [:]
        change(&fields)
        try JSONSerialization.data(withJSONObject: fields).write(to: url(file))
    }

    /// Alters a safetensors file.
    func weights(
        _ file: String, statedLength: UInt64? = nil, _ change: (inout SafetensorsDraft) -> Void
    ) throws {
        var draft = try SafetensorsDraft(url(file))
        change(&draft)
        try draft.write(to: url(file), statedLength: statedLength)
    }

    func bytes(_ file: String, _ change: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: url(file))
        change(&data)
        try data.write(to: url(file))
    }

    func remove(_ file: String) throws {
        try FileManager.default.removeItem(at: url(file))
    }
}

@Suite(.serialized) struct DamagedCheckpointTests {
    static let transformer = "transformer/diffusion_pytorch_model.safetensors"
    static let vae = "vae/diffusion_pytorch_model.safetensors"
    static let text = "text_encoder/model.safetensors"

    /// Expects that `inspect` and `generate` refuse the checkpoint alike.
    private func refuse(
        _ copy: CheckpointCopy, _ fragments: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let inspected = try Turbine.run(["inspect", copy.path])
        try expectRefusal(inspected, fragments + ["; "], sourceLocation: sourceLocation)
        let generated = try Turbine.generate(
            ["--model", copy.path, "--prompt", "cat", "--output", "a.png"],
            folder: copy.folder.path)
        try expectRefusal(
            generated, fragments, in: copy.folder, keeping: ["model"],
            sourceLocation: sourceLocation)
        #expect(generated.errors == inspected.errors, sourceLocation: sourceLocation)
    }

    @Test(arguments: [transformer, vae, text]) func truncated(file: String) throws {
        for keep in [0, 4, 8, 100, -1, -4096] {
            let copy = try CheckpointCopy()
            try copy.bytes(file) { $0 = $0.prefix(keep < 0 ? $0.count + keep : keep) }
            try refuse(copy, file)
        }
    }

    @Test func truncatedShard() throws {
        let copy = try CheckpointCopy("b-bf16-sharded")
        let shard = "transformer/diffusion_pytorch_model-00004-of-00008.safetensors"
        try copy.bytes(shard) { $0.removeLast(1000) }
        try refuse(copy, shard, "cut short", "tensor")
    }

    @Test func missingShard() throws {
        let copy = try CheckpointCopy("b-bf16-sharded")
        let shard = "text_encoder/model-00002-of-00003.safetensors"
        try copy.remove(shard)
        try refuse(copy, shard, "model.safetensors.index.json", "download the missing shard")
    }

    @Test func indexThatContradictsItsShards() throws {
        let index = "text_encoder/model.safetensors.index.json"
        let name = "model.layers.0.mlp.gate_proj.weight"
        let misplaced = try CheckpointCopy("b-bf16-sharded")
        try misplaced.json(index) {
            var map = $0["weight_map"] as? [String: String] ?? [:]
            map[name] = "model-00003-of-00003.safetensors"
            $0["weight_map"] = map
        }
        try refuse(misplaced, "model-00003-of-00003.safetensors", name)
        let outside = try CheckpointCopy("b-bf16-sharded")
        try outside.json(index) { $0["weight_map"] = [name: "../../secret.safetensors"] }
        try refuse(outside, index, "plain file name")
        let empty = try CheckpointCopy("b-bf16-sharded")
        try empty.json(index) { $0["weight_map"] = nil }
        try refuse(empty, index, "weight_map")
    }

    @Test(arguments: [0, 1, 7, 100, 1 << 20, 1 << 40, UInt64.max, 1 << 63])
    func wrongHeaderLength(length: UInt64) throws {
        let copy = try CheckpointCopy()
        try copy.weights(Self.transformer, statedLength: length) { _ in }
        try refuse(copy, Self.transformer, "header")
    }

    @Test func headersThatAreNoTensorList() throws {
        for text in [
            "[]       ", "{\"a\": 5}", "{\"a\":{}}", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
        ] {
            let copy = try CheckpointCopy()
            let length = Data([UInt8(text.utf8.count), 0, 0, 0, 0, 0, 0, 0])
            try (length + Data(text.utf8)).write(to: copy.url(Self.vae))
            try refuse(copy, Self.vae)
        }
    }

    static let offsets: [@Sendable ([Int]) -> [Any]] = [
        { [$0[0] - 4, $0[1]] }, { [$0[0], $0[1] + 4] }, { [$0[0] + 4, $0[1] + 4] },
        { [$0[1], $0[0]] }, { [-$0[0] - 1, $0[1]] }, { [$0[0] + 1 << 40, $0[1] + 1 << 40] },
        { [$0[0]] }, { _ in ["a", "b"] }, { _ in [0, 1e300] },
        { [Int.min, Int.max - $0[0]] },
    ]

    @Test(arguments: offsets.indices) func wrongOffsets(index: Int) throws {
        let copy = try CheckpointCopy()
        try copy.weights(Self.transformer) {
            let name = $0.names[20]
            $0.set(name, "data_offsets", Self.offsets[index]($0.offsets(name)))
        }
        try refuse(copy, Self.transformer, "tensor \"")
    }

    @Test func overlappingTensors() throws {
        let copy = try CheckpointCopy()
        try copy.weights(Self.transformer) { draft in
            let norms = draft.names.filter { draft.shape($0) == [36] }
            draft.set(norms[1], "data_offsets", draft.offsets(norms[0]))
        }
        try refuse(copy, Self.transformer, "tensor \"")
    }

    @Test func wrongShapes() throws {
        let shapes: [[Any]] = [
            [36, 1, 36], [35, 36], [0], [-1, -1296], [1 << 40, 1 << 40], ["x"],
        ]
        for shape in shapes {
            let copy = try CheckpointCopy()
            let name = "layers.1.attention.to_q.weight"
            try copy.weights(Self.transformer) { $0.set(name, "shape", shape) }
            try refuse(copy, Self.transformer, name)
        }
    }

    @Test func transposedWeights() throws {
        let copy = try CheckpointCopy()
        let name = "layers.0.mlp.down_proj.weight"
        try copy.weights(Self.text) { $0.set(name, "shape", Array($0.shape(name).reversed())) }
        try refuse(copy, Self.text, name, "shape", "configuration")
    }

    @Test func wrongElementTypes() throws {
        for type in ["I32", "F8_E4M3", "Q4_K", ""] {
            let copy = try CheckpointCopy()
            let name = "layers.1.attention.to_q.weight"
            try copy.weights(Self.transformer) { $0.set(name, "dtype", type) }
            try refuse(copy, Self.transformer, name)
        }
    }

    @Test(arguments: [transformer, vae, text]) func missingAndExtraTensors(file: String) throws {
        let extra = try CheckpointCopy()
        try extra.weights(file) { $0.append("surplus.weight") }
        try refuse(extra, file, "surplus.weight", "architecture")
        let renamed = try CheckpointCopy()
        var missing = ""
        try renamed.weights(file) {
            missing = $0.names[12]
            $0 = $0.renamed(missing, to: "other.weight")
        }
        try refuse(renamed, file, missing, "missing")
    }

    @Test(arguments: [
        "model_index.json", "scheduler/scheduler_config.json", "transformer/config.json",
        "vae/config.json", "text_encoder/config.json", "tokenizer/tokenizer.json", transformer, vae,
        text,
    ]) func missingOrUnreadableFile(file: String) throws {
        let missing = try CheckpointCopy()
        try missing.remove(file)
        try refuse(missing)
        guard file.hasSuffix(".json") else { return }
        for text in ["", "{", "[1, 2]", "\u{FEFF}\"x\"", String(repeating: "[", count: 100_000)] {
            let broken = try CheckpointCopy()
            try Data(text.utf8).write(to: broken.url(file))
            try refuse(broken, file)
        }
        let binary = try CheckpointCopy()
        try Data([0x7B, 0x22, 0xFF, 0x00, 0x22]).write(to: binary.url(file))
        try refuse(binary, file)
    }
}
