// Components of one file or several shards.
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct WeightSetTests {
    private let one = Tensor([1], shape: [1])

    /// A folder with two shards and an index; `index` replaces the index's weight map.
    private func shards(index: String? = nil) throws -> String {
        let first = TemporaryFiles.path("model-1.safetensors")
        let folder = URL(fileURLWithPath: first).deletingLastPathComponent().path
        try SafetensorsWriter.write(["a": one], to: first)
        try SafetensorsWriter.write(["b": one], to: "\(folder)/model-2.safetensors")
        let map = index ?? #"{"a":"model-1.safetensors","b":"model-2.safetensors"}"#
        try Data(#"{"weight_map":\#(map)}"#.utf8).write(
            to: URL(fileURLWithPath: "\(folder)/model.safetensors.index.json"))
        return folder
    }

    @Test func shardsAreOneSet() throws {
        let set = try WeightSet(folder: shards(), baseName: "model")
        #expect(set.names == ["a", "b"] && set.paths.count == 2)
        #expect(try set.tensor("b", shape: [1]).elements == [1])
        #expect(set.summary.elementCount == 2 && set.summary.byteCount == 8)
    }

    @Test func faultsNameFileAndTensor() throws {
        func fault(_ index: String) -> CheckpointError? {
            #expect(throws: CheckpointError.self) {
                try WeightSet(folder: shards(index: index), baseName: "model")
            }
        }
        let missing = fault(#"{"a":"model-1.safetensors","b":"model-3.safetensors"}"#)
        #expect(missing?.code == .missingFile && missing?.file.hasSuffix("model-3.safetensors") == true)
        let elsewhere = fault(#"{"b":"model-1.safetensors"}"#)
        #expect(elsewhere?.code == .missingTensor && elsewhere?.element == "tensor \"b\"")
        #expect(fault(#"{"a":"../model-1.safetensors"}"#)?.code == .malformedFile)
        #expect(fault("{}")?.code == .malformedFile)
        let none = #expect(throws: CheckpointError.self) {
            try WeightSet(folder: shards(), baseName: "other")
        }
        #expect(none?.code == .missingFile)
    }

    @Test func tensorsAreAskedForByShape() throws {
        let set = try WeightSet(folder: shards(), baseName: "model")
        let shape = #expect(throws: CheckpointError.self) { try set.tensor("a", shape: [2]) }
        #expect(shape?.code == .wrongShape && shape?.element == "tensor \"a\"")
        let name = #expect(throws: CheckpointError.self) { try set.tensor("c", shape: [1]) }
        #expect(name?.code == .missingTensor)
        _ = try set.tensor("a", shape: [1])
        let extra = #expect(throws: CheckpointError.self) { try set.requireAllUsed() }
        #expect(extra?.code == .unexpectedTensor && extra?.element == "tensor \"b\"")
        try set.requireAllUsed { $0 == "b" }
    }

    @Test func aTensorInTwoShardsIsRefused() throws {
        let folder = try shards()
        try SafetensorsWriter.write(
            ["a": one, "b": one], to: "\(folder)/model-2.safetensors")
        let error = #expect(throws: CheckpointError.self) {
            try WeightSet(folder: folder, baseName: "model")
        }
        #expect(error?.code == .malformedFile && error?.element == "tensor \"a\"")
    }
}
