// A folder for what tests write.
import Foundation

public enum TemporaryFiles {
    /// A path of that name in a folder of its own, which is made.
    public static func path(_ name: String) -> String {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-tests-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("no temporary folder: \(error)")
        }
        return folder.appendingPathComponent(name).path
    }
}
