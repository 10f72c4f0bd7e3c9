// `turbine inspect`: what a checkpoint is, and whether it is sound.
import ArgumentParser
import Foundation
import ImagePipeline
import ZImageModel

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a checkpoint is and whether it is sound.")

    @Argument(help: "A checkpoint folder.")
    var model: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let checkpoint = try ZImageCheckpoint(folder: model)
        let summary = try Summary(checkpoint)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(summary), as: UTF8.self))
        } else {
            print(summary.text)
        }
    }

    private struct Summary: Encodable {
        struct Component: Encodable {
            let name: String
            let parameters: Int
            let bytes: Int
            let elementTypes: [String]
            let files: Int
        }
        let name: String
        let sha256: String
        let components: [Component]
        let facts: [String: String]
        let isSound = true

        init(_ checkpoint: ZImageCheckpoint) throws {
            name = checkpoint.name
            sha256 = try ModelHash.hash(of: checkpoint)
            components = checkpoint.weights.map { component, set in
                let summary = set.summary
                return Component(
                    name: component, parameters: summary.elementCount, bytes: summary.byteCount,
                    elementTypes: summary.elementTypes.map(\.rawValue), files: set.paths.count)
            }
            let text = checkpoint.textEncoder.configuration
            let transformer = checkpoint.transformer.configuration
            let vae = checkpoint.autoencoder.configuration
            let schedule = checkpoint.scheduleConfiguration
            facts = [
                "text encoder": "Qwen3, width \(text.hiddenSize), \(text.layerCount) layers, "
                    + "\(text.headCount) heads of \(text.headDimension) "
                    + "(\(text.keyValueHeadCount) for keys and values)",
                "tokenizer": "Qwen2, \(checkpoint.tokenizer.vocabularySize) entries",
                "transformer": "width \(transformer.width), \(transformer.layerCount) layers + "
                    + "\(transformer.refinerLayerCount) + \(transformer.refinerLayerCount) "
                    + "refiners, \(transformer.headCount) heads, "
                    + "\(transformer.latentChannels) latent channels",
                "autoencoder": "channels \(vae.levelChannels), scale \(vae.scale)",
                "schedule": schedule.usesDynamicShift
                    ? "flow matching, dynamic shift" : "flow matching, shift \(schedule.shift)",
                "image sizes": "multiples of \(checkpoint.sizeMultiple)",
            ]
        }

        var text: String {
            var lines = ["\(name): a sound checkpoint of the Z-Image family", "sha256 \(sha256)"]
            for component in components {
                let name = component.name.padding(toLength: 13, withPad: " ", startingAt: 0)
                let size = String(
                    format: "%@ %9.2f M parameters %9.1f MB", name,
                    Double(component.parameters) / 1e6, Double(component.bytes) / 1e6)
                let files = "\(component.files) file\(component.files == 1 ? "" : "s")"
                lines.append(
                    "\(size)  \(component.elementTypes.joined(separator: "+")), \(files)")
            }
            lines += facts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            return lines.joined(separator: "\n")
        }
    }
}
