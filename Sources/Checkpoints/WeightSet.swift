// All tensors of one component of a checkpoint, from one file or several shards.
import Foundation
import TensorCore

/// The weights of a component folder: `NAME.safetensors`, or shards with
/// `NAME.safetensors.index.json`.
public final class WeightSet {
    public let folder: String
    private var files: [SafetensorsFile] = []
    private var fileOfTensor: [String: Int] = [:]
    private var used: Set<String> = []

    /// - Parameter baseName: `diffusion_pytorch_model` or `model`.
    public init(folder: String, baseName: String) throws {
        self.folder = folder
        let single = "\(folder)/\(baseName).safetensors"
        let index = single + ".index.json"
        let manager = FileManager.default
        if manager.fileExists(atPath: single) {
            try add(SafetensorsFile(path: single))
        } else if manager.fileExists(atPath: index) {
            try addShards(indexPath: index)
        } else {
            throw CheckpointError(
                .missingFile, "has no \(baseName).safetensors and no index of shards", file: folder,
                remedy: "download the checkpoint's safetensors files")
        }
    }

    private func add(_ file: SafetensorsFile) throws {
        for name in file.entries.keys {
            guard fileOfTensor.updateValue(files.count, forKey: name) == nil else {
                throw CheckpointError(
                    .malformedFile, "is in more than one shard", file: file.path,
                    element: "tensor \"\(name)\"", remedy: "download the checkpoint again")
            }
        }
        files.append(file)
    }

    private func addShards(indexPath: String) throws {
        let index = try Configuration(path: indexPath)
        guard let map = index.fields["weight_map"]?.objectValue, !map.isEmpty else {
            throw CheckpointError(
                .malformedFile, "has no weight_map", file: indexPath,
                remedy: "download the index again")
        }
        var shards: [String: [String]] = [:]
        for (tensor, file) in map {
            guard let name = file.stringValue, !name.contains("/"), name != ".." else {
                throw CheckpointError(
                    .malformedFile, "names a shard that is no plain file name", file: indexPath,
                    element: "tensor \"\(tensor)\"", remedy: "download the index again")
            }
            shards[name, default: []].append(tensor)
        }
        for (name, tensors) in shards.sorted(by: { $0.key < $1.key }) {
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else {
                throw CheckpointError(
                    .missingFile, "is not there, though \(indexPath) names it", file: path,
                    remedy: "download the missing shard")
            }
            let file = try SafetensorsFile(path: path)
            if let missing = tensors.sorted().first(where: { file.entries[$0] == nil }) {
                throw CheckpointError(
                    .missingTensor, "is not in this shard, though the index says so", file: path,
                    element: "tensor \"\(missing)\"", remedy: "download the checkpoint again")
            }
            try add(file)
        }
    }

    public var names: [String] { fileOfTensor.keys.sorted() }

    public func contains(_ name: String) -> Bool { fileOfTensor[name] != nil }

    /// The tensor `name`, which must have that shape.
    public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        guard let index = fileOfTensor[name], let tensor = try files[index].tensor(name) else {
            throw CheckpointError(
                .missingTensor, "is missing", file: files.count == 1 ? files[0].path : folder,
                element: "tensor \"\(name)\"",
                remedy: "check that the configuration and the weights belong together")
        }
        guard tensor.shape == shape else {
            throw CheckpointError(
                .wrongShape,
                "has the shape \(tensor.shape), but the configuration implies \(shape)",
                file: files[index].path, element: "tensor \"\(name)\"",
                remedy: "check that the configuration and the weights belong together")
        }
        used.insert(name)
        return tensor
    }

    /// Throws if the files hold a tensor that nothing asked for, except those of `ignored`.
    public func requireAllUsed(ignoring ignored: (String) -> Bool = { _ in false }) throws {
        for name in names where !used.contains(name) && !ignored(name) {
            throw CheckpointError(
                .unexpectedTensor, "does not belong to this architecture",
                file: files[fileOfTensor[name]!].path, element: "tensor \"\(name)\"",
                remedy: "check that the configuration and the weights belong together")
        }
    }

    /// Elements and bytes of all tensors, and the element types among them.
    public var summary: (elementCount: Int, byteCount: Int, elementTypes: [ElementType]) {
        var (elements, bytes) = (0, 0)
        var types: Set<ElementType> = []
        for file in files {
            for entry in file.entries.values {
                elements += entry.shape.reduce(1, *)
                bytes += entry.byteCount
                if let type = entry.elementType { types.insert(type) }
            }
        }
        return (elements, bytes, ElementType.allCases.filter(types.contains))
    }

    /// The files, in order.
    public var paths: [String] { files.map(\.path) }
}
