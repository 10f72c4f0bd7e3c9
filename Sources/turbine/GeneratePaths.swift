// The files that `turbine generate` reads and writes.
import ArgumentParser
import Foundation
import ImagePipeline

/// The files of each image, checked before any heavy work.
struct GeneratePaths {
    let output: [String]
    let latentsOut: [String]
    let latentsIn: [String]

    /// - Throws: `ValidationError` for options that contradict each other, `GenerationError` for a
    ///   path that cannot be written.
    init(_ command: GenerateCommand, _ request: GenerationRequest) throws {
        if command.stopAfter != nil, command.latentsOut == nil {
            throw ValidationError("--stop-after needs --latents-out, or nothing would be left.")
        }
        if let step = command.stopAfter, step < 1 {
            throw ValidationError("--stop-after is \(step); use a step from 1.")
        }
        if command.stopAfter != nil, command.options.seed == nil {
            throw ValidationError(
                "--stop-after needs --seed, or nothing could go on with the latents.")
        }
        let stopsEarly = command.stopAfter.map { $0 < request.stepCount } ?? false
        guard command.output != nil || stopsEarly else {
            throw ValidationError("An output file is missing; give --output FILE.png.")
        }
        func numbered(_ path: String?) -> [String] {
            guard let path else { return [] }
            return (0..<request.imageCount).map {
                request.imageCount == 1 ? path : Self.numbered(path, $0)
            }
        }
        output = numbered(command.output)
        latentsOut = numbered(command.latentsOut)
        latentsIn = numbered(command.latentsIn)
        let written = output + latentsOut + (command.preview.map { [$0] } ?? [])
        for path in written { try AtomicFile.checkWritable(path) }
        try Self.checkDistinct(written)
    }

    private static func checkDistinct(_ paths: [String]) throws {
        var seen: Set<String> = []
        for path in paths
        where !seen.insert(URL(fileURLWithPath: path).standardizedFileURL.path).inserted {
            throw ValidationError(
                "\(GenerationError.quote(path)) is named for two outputs; name a file for each.")
        }
    }

    /// `dir/name.png` → `dir/name-3.png`
    private static func numbered(_ path: String, _ index: Int) -> String {
        let url = URL(fileURLWithPath: path)
        let name = url.deletingPathExtension().lastPathComponent
        let suffix = url.pathExtension.isEmpty ? "" : ".\(url.pathExtension)"
        let folder = (path as NSString).deletingLastPathComponent
        return (folder as NSString).appendingPathComponent("\(name)-\(index)\(suffix)")
    }
}
