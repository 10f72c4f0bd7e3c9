// A generation stopped after a step and continued by another process, and one that is ended from
// outside.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct StopAndResumeTests {
    private static let request = [
        "generate", "--prompt", "red heart", "--seed", "9", "--width", "96", "--height", "64",
        "--guidance", "2", "--json",
    ]

    private func run(_ options: [String], _ folder: TemporaryFolder) throws -> Turbine.Outcome {
        try Turbine.run(Self.request + options, folder: folder.path)
    }

    @Test(arguments: [["--no-prune"], ["--prune-share", "0.37", "--prune-interval", "4"]])
    func anotherProcessGoesOnToTheSamePicture(pruning: [String]) throws {
        let folder = try TemporaryFolder()
        let steps = pruning + ["--steps", "6"]
        let undisturbed = try run(steps + ["--output", "whole.png"], folder)
        for stop in 1...5 {
            let stopped = try run(
                steps + ["--stop-after", "\(stop)", "--latents-out", "kept.safetensors"], folder)
            #expect(stopped.succeeded)
            #expect(try Turbine.images(stopped).isEmpty)
            #expect(try folder.entries.contains("rest.png") == false)
            let rest = try run(
                steps + ["--latents-in", "kept.safetensors", "--output", "rest.png"], folder)
            #expect(try Turbine.hashes(rest) == Turbine.hashes(undisturbed), "after \(stop)")
            let image = try #require(try Turbine.images(rest).first)
            #expect((image["stepSeconds"] as? [Double])?.count == 6 - stop)
            try FileManager.default.removeItem(atPath: folder.file("rest.png"))
        }
    }

    @Test func severalStopsAndSeveralImages() throws {
        let folder = try TemporaryFolder()
        let steps = ["--steps", "4", "--count", "2", "--prune-share", "0.5"]
        let undisturbed = try run(steps + ["--output", "whole.png"], folder)
        let latents = ["--latents-out", "l.safetensors"]
        _ = try run(steps + ["--stop-after", "1"] + latents, folder)
        let second = try run(
            steps + ["--stop-after", "3", "--latents-in", "l.safetensors"] + latents, folder)
        #expect(second.succeeded)
        #expect(
            try folder.entries == [
                "l-0.safetensors", "l-1.safetensors", "whole-0.png", "whole-1.png",
            ])
        let rest = try run(
            steps + ["--latents-in", "l.safetensors", "--output", "rest.png"], folder)
        #expect(try Turbine.hashes(rest) == Turbine.hashes(undisturbed))
    }

    @Test(arguments: [SIGINT, SIGTERM]) func anInterruptionLeavesNoPicture(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let running = try Running(
            Turbine.path,
            Self.request + ["--steps", "1000", "--latents-out", "l.st", "--output", "a.png"],
            folder: folder.path)
        running.wait(until: { folder.exists("l.st") })
        running.send(signal)
        let outcome = try running.wait()
        #expect(outcome.exitCode.map { $0 != 0 } == true)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors == "turbine: the generation was cancelled\n")
        #expect(try folder.entries == ["l.st"])
    }

    @Test func aKilledRunCanBeContinued() throws {
        let folder = try TemporaryFolder()
        let steps = ["--steps", "30", "--prune-share", "0.37"]
        let undisturbed = try run(steps + ["--output", "whole.png"], folder)
        let running = try Running(
            Turbine.path,
            Self.request + steps + ["--latents-out", "l.st", "--output", "killed.png"],
            folder: folder.path)
        running.wait(until: { folder.exists("l.st") })
        usleep(150_000)
        running.send(SIGKILL)
        #expect(try running.wait().exitCode == nil)
        #expect(!folder.exists("killed.png"))
        let rest = try run(steps + ["--latents-in", "l.st", "--output", "rest.png"], folder)
        #expect(rest.succeeded, "\(rest.errors)")
        #expect(try Turbine.hashes(rest) == Turbine.hashes(undisturbed))
        let image = try #require(try Turbine.images(rest).first)
        #expect((image["stepSeconds"] as? [Double])?.count ?? 30 < 30)
    }

    /// Killed at any moment, decoding and writing included, there is a whole picture or none.
    @Test func aKillNeverLeavesAPartialPicture() throws {
        let folder = try TemporaryFolder()
        let request = [
            "generate", "--prompt", "cat", "--seed", "1", "--width", "256", "--height", "256",
            "--steps", "1", "--guidance", "0", "--output", "a.png",
        ]
        var wholeCount = 0
        var delay: UInt32 = 200
        // Close together where this machine may be at decoding and writing, then ever longer, until
        // it has had the time for a whole one.
        while wholeCount < 2, delay < 60_000 {
            defer { delay += max(300, delay / 8) }
            let running = try Running(Turbine.path, request, folder: folder.path)
            usleep(delay * 1_000)
            running.send(SIGKILL)
            _ = try running.wait()
            guard folder.exists("a.png") else {
                #expect(try folder.entries.isEmpty, "after \(delay) ms")
                continue
            }
            #expect(try PNGFile(folder.data("a.png")).height == 256)
            wholeCount += 1
            try FileManager.default.removeItem(atPath: folder.file("a.png"))
        }
        #expect(wholeCount == 2)
    }
}
