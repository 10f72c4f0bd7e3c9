// A run's folder: recipe, state, log, curve and samples.
import Autodiff
import Checkpoints
import Foundation
import ImagePipeline
import TensorCore

/// The files of a run.
///
/// `state.safetensors` is all that a continued run needs; it is replaced as a whole, so that a full
/// disk or a kill leaves the one before. The log is cut back to the state when a run continues.
final class RunFolder {
    let path: String
    private let recipe: String
    private let columns: [String]

    init(_ path: String, recipe: String, columns: [String]) throws {
        self.path = path
        self.recipe = recipe
        self.columns = columns
        try FileManager.default.createDirectory(
            atPath: path + "/samples", withIntermediateDirectories: true)
        let known = "\(path)/recipe.json"
        if let earlier = try? String(contentsOfFile: known, encoding: .utf8) {
            guard earlier == recipe else {
                throw TrainingError(
                    .unusableRun, "belongs to another recipe (\(known))", at: path,
                    remedy: "continue with that recipe, or name another folder")
            }
        } else {
            try AtomicFile.write(recipe.utf8, to: known)
        }
    }

    private var statePath: String { path + "/state.safetensors" }
    private var logPath: String { path + "/log.csv" }

    /// Takes over the state of an earlier run, if there is one.
    func restore(_ optimizer: Optimizer) throws {
        guard FileManager.default.fileExists(atPath: statePath) else {
            try AtomicFile.write((columns.joined(separator: ",") + "\n").utf8, to: logPath)
            return
        }
        let file = try SafetensorsFile(path: statePath)
        guard let step = file.metadata["step"].flatMap({ Int($0) }) else {
            throw CheckpointError(
                .malformedFile, "does not say its step", file: statePath,
                remedy: "delete the folder and start again")
        }
        try optimizer.restore(stepCount: step) { name, shape in
            guard let tensor = try file.tensor(name), tensor.shape == shape else {
                throw CheckpointError(
                    .missingTensor, "is missing or has another shape", file: statePath,
                    element: "tensor \"\(name)\"", remedy: "delete the folder and start again")
            }
            return tensor
        }
        try cutLog(after: step)
    }

    func save(_ optimizer: Optimizer) throws {
        let contents = try SafetensorsWriter.encode(
            optimizer.state, metadata: ["step": "\(optimizer.stepCount)"])
        let file = try AtomicFile(path: statePath)
        try contents.withUnsafeBytes { try file.write($0) }
        try file.commit()
    }

    private func cutLog(after step: Int) throws {
        let lines =
            (try? String(contentsOfFile: logPath, encoding: .utf8))?
            .split(separator: "\n") ?? []
        let kept = lines.filter { line in
            Double(line.prefix { $0 != "," }).map { $0 <= Double(step) } ?? true
        }
        try AtomicFile.write((kept.joined(separator: "\n") + "\n").utf8, to: logPath)
    }

    func log(_ values: [Double?]) throws {
        let line = values.map { value in value.map { String(format: "%.6g", $0) } ?? "" }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: logPath))
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data((line.joined(separator: ",") + "\n").utf8))
    }

    func writeSample(_ sheet: ContactSheet, step: Int) throws {
        try sheet.write(to: String(format: "%@/samples/%07d.png", path, step))
    }

    /// Draws columns of the log over the steps.
    func drawCurve(_ names: [String]) throws {
        let series = try LossCurve.Series.read(
            log: logPath, horizontal: "step", columns: names)
        let curve = LossCurve(
            title: URL(fileURLWithPath: path).lastPathComponent, horizontalName: "step",
            series: series, scale: .logarithmic)
        try AtomicFile.write(try curve.png(), to: path + "/loss.png")
    }
}
