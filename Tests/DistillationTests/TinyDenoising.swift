// A data set of five small images and recipes for teachers and students of a tiny checkpoint.
import Autodiff
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import ZImageModel

@testable import Distillation

/// Images of 16 × 16 or another size with captions, and the golden checkpoint `a` as base and
/// teacher.
final class TinyDenoising {
    static let base = Repository.path("Tests/Golden/a-f32-single")
    let folder = TemporaryFiles.path("denoising")
    let data: ImageFolder
    private let draft: DataSetDraft

    init(side: Int = 16, caption: String = "picture") throws {
        draft = try DataSetDraft()
        for index in 0..<5 {
            let level = UInt8(index * 40)
            try draft.addImage(
                "images/\(index).png", color: (200 - level, level, 30), width: side,
                height: side)
            draft.lines.append(
                #"{"file_name": "images/\#(index).png", "text": "\#(caption) \#(index)"}"#)
        }
        data = try ImageFolder(path: try draft.finish())
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func recipe(_ fields: [String: JSONValue]) throws -> RecipeObject {
        let path = "\(folder)/recipe.json"
        try JSONEncoder().encode(JSONValue.object(fields)).write(to: URL(fileURLWithPath: path))
        return try RecipeObject(path: path)
    }

    static func component(_ name: String) throws -> JSONValue {
        .object(try Configuration(path: "\(base)/\(name)").fields)
    }

    static let common: [String: JSONValue] = [
        "batch": .integer(4), "piece": .integer(2), "log_every": .integer(1000),
        "checkpoint_every": .integer(1000), "sample_every": .integer(1000),
    ]

    func teacher(steps: Int) throws -> TeacherRecipe {
        var fields = Self.common
        fields["stage"] = .string("teacher")
        fields["steps"] = .integer(steps)
        fields["optimizer"] = .object([
            "rate": .number(2e-3), "matrix_rate": .number(2e-3), "warm_up": .integer(5),
            "average_decay": .number(0.9),
        ])
        fields["text_encoder"] = try Self.component("text_encoder/config.json")
        fields["transformer"] = try Self.component("transformer/config.json")
        fields["scheduler"] = try Self.component("scheduler/scheduler_config.json")
        return try TeacherRecipe(recipe(fields))
    }

    func student(_ changes: [String: JSONValue] = [:]) throws -> DistillationRecipe {
        var fields = Self.common
        fields["stage"] = .string("distill")
        fields["steps"] = .integer(3)
        fields["optimizer"] = .object(["warm_up": .integer(1)])
        fields["guidance"] = .integer(0)
        fields["student_steps"] = .array([.string("2")])
        fields["substeps"] = .integer(1)
        fields["alignment_share"] = .integer(1)
        fields.merge(changes) { $1 }
        return try DistillationRecipe(recipe(fields))
    }

    /// Moves every weight a little, so that a student is no longer its teacher.
    static func disturb(_ parameters: ParameterStore, by share: Float) {
        for (index, name) in parameters.names.sorted().enumerated() {
            let tensor = parameters[name]
            var random = TorchGenerator(seed: UInt64(index + 1))
            let noise = random.normals(tensor.count)
            let squares = tensor.elements.reduce(0) { $0 + $1 * $1 }
            let size = (squares / Float(tensor.count)).squareRoot()
            for i in 0..<tensor.count { tensor.floats[i] += share * size * noise[i] }
        }
    }
}
