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
/// `recipe.json` and `inputs.json` say what the run was made of.
final class RunFolder {
    let path: String
    private let recipe: String
    private let inputs: [String: String]
    private let columns: [String]

    /// - Parameters:
    ///   - recipe: the recipe's text
    ///   - inputs: paths of what the run learns from, by name
    ///   - acceptsChanges: takes up a run although recipe or inputs are others now
    /// - Throws: `TrainingError` when the folder belongs to another recipe or other inputs
    init(
        _ path: String, recipe: String, inputs: [String: String], columns: [String],
        acceptsChanges: Bool
    ) throws {
        self.path = path
        self.recipe = recipe
        self.inputs = inputs.mapValues { URL(fileURLWithPath: $0).standardizedFileURL.path }
        self.columns = columns
        try TrainingError.makeFolder(path + "/samples")
        if !acceptsChanges { try checkOrigin() }
    }

    private func checkOrigin() throws {
        func refuse(_ what: String) -> TrainingError {
            TrainingError(
                .unusableRun, what, at: path,
                remedy: "continue with what it began with, name another folder, or give "
                    + "--accept-changes to go on with what is given now")
        }
        let known = try? String(contentsOfFile: recipePath, encoding: .utf8)
        if let known, known != recipe {
            throw refuse("belongs to another recipe (\(recipePath))")
        }
        if known == nil, FileManager.default.fileExists(atPath: statePath) {
            throw refuse("has a state, but no recipe.json")
        }
        let earlier = (try? Data(contentsOf: URL(fileURLWithPath: inputsPath)))
            .flatMap { try? JSONDecoder().decode([String: String].self, from: $0) }
        for (name, earlierPath) in (earlier ?? [:]).sorted(by: { $0.key < $1.key })
        where inputs[name] != earlierPath {
            throw refuse("began with another \(name) (\(earlierPath))")
        }
    }

    private var recipePath: String { path + "/recipe.json" }
    private var inputsPath: String { path + "/inputs.json" }
    private var statePath: String { path + "/state.safetensors" }
    private var logPath: String { path + "/log.csv" }

    /// Takes over the state of an earlier run, if there is one.
    func restore(_ optimizer: Optimizer) throws {
        if FileManager.default.fileExists(atPath: statePath) {
            try cutLog(after: try restoreState(optimizer))
        } else {
            try AtomicFile.write((header + "\n").utf8, to: logPath)
        }
        try AtomicFile.write(recipe.utf8, to: recipePath)
        try ComponentFolder.writeJSON(.object(inputs.mapValues(JSONValue.string)), to: inputsPath)
    }

    private var header: String { columns.joined(separator: ",") }

    /// - Returns: the steps done
    private func restoreState(_ optimizer: Optimizer) throws -> Int {
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
        return step
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
            Double(line.prefix { $0 != "," }).map { $0 <= Double(step) } ?? false
        }
        let text = ([header[...]] + kept).joined(separator: "\n") + "\n"
        try AtomicFile.write(text.utf8, to: logPath)
    }

    func log(_ values: [Double?]) throws {
        let line = values.map { value in value.map { String(format: "%.6g", $0) } ?? "" }
        try TrainingError.writing(logPath) {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: logPath))
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: Data((line.joined(separator: ",") + "\n").utf8))
        }
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
