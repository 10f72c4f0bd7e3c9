// Where the files that come with the program are.
import Foundation
import ImagePipeline

/// Finds `Models/` and `config/`: beside the working folder, the executable (any folder above it),
/// or in `../share/turbine` of an installation.
enum ResourceLocator {
    /// The model in the box.
    static let defaultModel = "Models/emoji"
    static let presets = "config/default.json"
    static let templates = "config/templates"

    /// The path of a file or folder that comes with the program.
    static func locate(_ relative: String) throws -> String {
        let manager = FileManager.default
        for folder in candidates where manager.fileExists(atPath: "\(folder)/\(relative)") {
            return folder == "." ? relative : "\(folder)/\(relative)"
        }
        throw GenerationError(
            code: .unreadableFile, field: relative,
            what: "was not found beside the working folder or the program",
            remedy: "run from Turbine's folder or name the path")
    }

    private static var candidates: [String] {
        var folders = ["."]
        guard let executable = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/self/exe")
        else { return folders }
        var folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
        folders.append(folder.appendingPathComponent("../share/turbine").standardized.path)
        for _ in 0..<5 {
            folders.append(folder.path)
            folder.deleteLastPathComponent()
        }
        return folders
    }
}
