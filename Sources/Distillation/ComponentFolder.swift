// A component of a checkpoint folder as diffusers and transformers read it: config.json and
// weights.
import Autodiff
import Checkpoints
import Foundation
import ImagePipeline
import TensorCore

/// Writes configurations and weights.
enum ComponentFolder {
    /// - Parameters:
    ///   - fields: the configuration without `_diffusers_version`
    ///   - weights: rounded to bfloat16
    ///   - baseName: `diffusion_pytorch_model` or `model`
    static func write(
        _ fields: [String: JSONValue], weights: [String: Tensor], baseName: String,
        to folder: String
    ) throws {
        try TrainingError.makeFolder(folder)
        let contents = try SafetensorsWriter.encode(
            weights.mapValues { $0.converted(to: .bfloat16) }, metadata: ["format": "pt"])
        let file = try AtomicFile(path: "\(folder)/\(baseName).safetensors")
        try contents.withUnsafeBytes { try file.write($0) }
        try file.commit()
        // Last: where there is a configuration, the component is complete.
        try writeJSON(.object(fields), to: folder + "/config.json")
    }

    static func writeJSON(_ value: JSONValue, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(value) + Data("\n".utf8), to: path)
    }
}
