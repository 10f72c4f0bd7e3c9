// A name for the content of a model.
import Checkpoints
import Foundation
import ZImageModel

/// Identifies a checkpoint by its content.
///
/// The SHA-256 of, for each file in a fixed order, its name, its size and its bytes; of weight files
/// above 64 MiB only the header and 256 evenly spaced pieces of 64 KiB are read, so that naming a
/// model of many gigabytes does not take longer than loading it.
public enum ModelHash {
    private static let wholeFileLimit = 64 << 20
    private static let pieceCount = 256
    private static let pieceLength = 64 << 10

    public static func hash(of model: ZImageCheckpoint) throws -> String {
        let folder = model.folder
        var paths = ["model_index.json", "scheduler/scheduler_config.json"].map { "\(folder)/\($0)" }
        for (component, set) in model.weights {
            paths.append("\(folder)/\(component)/config.json")
            paths += set.paths
        }
        for name in ["tokenizer.json", "vocab.json", "merges.txt"] {
            let path = "\(folder)/tokenizer/\(name)"
            if FileManager.default.fileExists(atPath: path) { paths.append(path) }
        }
        var hash = SHA256()
        for path in paths {
            let file = try MappedFile(path: path)
            hash.update("\(path.dropFirst(folder.count)) \(file.bytes.count)\n".utf8)
            for piece in pieces(of: file.bytes.count) {
                hash.update(UnsafeRawBufferPointer(rebasing: file.bytes[piece]))
            }
        }
        return hash.finalize()
    }

    private static func pieces(of count: Int) -> [Range<Int>] {
        guard count > wholeFileLimit else { return [0..<count] }
        return (0..<pieceCount).map { index in
            let start = (count - pieceLength) / (pieceCount - 1) * index
            return start..<start + pieceLength
        }
    }
}
