// A broker, a worker, and the commands of a client.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct SubmitTests {
    /// The service gives the file that the engine gives without it: pixels, metadata, all bytes.
    @Test func theServiceMakesTheFileThatGenerateMakes() throws {
        let service = try Service()
        let folder = service.folder
        for (index, request) in Self.requests.enumerated() {
            let alone = try Turbine.run(
                ["generate"] + request + ["--output", "alone.png"], folder: folder.path)
            let served = try service.run("submit", request + ["--output", "served.png"])
            #expect(alone.succeeded && served.succeeded, "\(alone.errors)\(served.errors)")
            #expect(served.outputLines == alone.outputLines.map { _ in "served.png" } || index == 1)
            for name in index == 1 ? ["-0", "-1"] : [""] {
                let data = try folder.data("served\(name).png")
                #expect(try data == folder.data("alone\(name).png"), "request \(index)")
                #expect(data.count > 500)
            }
        }
    }

    private static let requests: [[String]] = [
        [
            "--prompt", "red heart", "--seed", "4", "--width", "128", "--height", "128", "--steps",
            "3",
        ],
        [
            "--prompt", "猫脸", "--seed", "18446744073709551614", "--count", "2", "--width", "64",
            "--height", "48", "--steps", "2", "--guidance", "3", "--negative-prompt", "grey",
            "--cfg-normalization", "1.5", "--cfg-truncation", "0.75",
        ],
        [
            "--template", "emoji", "--set", "subject=cat face", "--seed", "1", "--width", "64",
            "--height", "64", "--steps", "9", "--prune-share", "0.37", "--prune-interval", "4",
        ],
        [
            "--prompt", "", "--seed", "0", "--width", "256", "--height", "64", "--steps", "1",
            "--tile", "on", "--tile-size", "8", "--tile-overlap", "4", "--no-prune",
            "--no-metadata",
        ],
    ]

    /// Any free port will do, and the broker says which it was.
    @Test func portsAreTold() throws {
        let folder = try TemporaryFolder()
        let broker = try Running(
            Turbine.path,
            [
                "broker", "--data", folder.file("data"), "--client-endpoint", "tcp://127.0.0.1:*",
                "--worker-endpoint", "tcp://127.0.0.1:*", "--http", "127.0.0.1:0",
            ])
        let line = try waitFor("the broker listens", context: { broker.errors }) {
            let line = broker.output
            return line.hasSuffix("\n") ? line : nil
        }
        let told = /listening clients=(tcp:\/\/\S+) workers=(tcp:\/\/\S+) http=(\S+)\n/
        let ports = try #require(try told.wholeMatch(in: line))
        #expect(ports.1 != ports.2 && !line.contains("*") && !ports.3.hasSuffix(":0"))
        let status = try Turbine.run(["status", "--broker", String(ports.1)])
        #expect(status.succeeded && status.output.contains("no workers"), "\(status)")
        broker.send(SIGTERM)
        #expect(try broker.wait().exitCode == 0)
    }

    /// Cancelling a running job ends its `submit` with a sentence, and frees the worker.
    @Test func cancellingARunningJob() throws {
        let service = try Service()
        let long = try service.start("submit", Self.long + ["--output", "long.png"])
        let worker = try service.waitForWork(steps: 2)
        let next = try service.start(
            "submit", ["--prompt", "cat"] + Turbine.small + ["--output", "next.png"])
        try waitUntil("the next job waits") { try service.status().queued == 1 }

        let cancel = try service.run("cancel", ["\(worker.jobID)"])
        #expect(cancel.succeeded, "\(cancel.errors)")
        #expect(cancel.output.hasPrefix("job \(worker.jobID) is cancelled after "))
        let ended = try long.wait()
        #expect(ended.exitCode == 1)
        #expect(
            ended.errors.hasSuffix("turbine: job \(worker.jobID) was cancelled (requested)\n"),
            "\(ended.errors)")
        #expect(!service.folder.exists("long.png"))

        let following = try next.wait()
        #expect(following.succeeded, "\(following.errors)")
        #expect(service.folder.exists("next.png"))
        let state = try service.status()
        #expect(state.cancelled == 1 && state.completed == 1 && state.workers.count == 1)
        // It is cancelled already, which is what was asked for; the other one is done.
        #expect(try service.run("cancel", ["\(worker.jobID)"]).succeeded)
        let late = try service.run("cancel", ["\(worker.jobID + 1)"])
        #expect(late.exitCode == 1 && late.errors.hasPrefix("turbine: "), "\(late)")
    }

    /// Ctrl-C of `turbine submit` takes the job with it.
    @Test func interruptingSubmitCancelsTheJob() throws {
        let service = try Service()
        let long = try service.start("submit", Self.long + ["--output", "long.png"])
        _ = try service.waitForWork()
        long.send(SIGINT)
        let ended = try long.wait()
        #expect(ended.exitCode == 1)
        // The program's own word or the broker's, whichever is first.
        let said = try /turbine: (the job|job 1) was cancelled[^\n]*\n/
            .firstMatch(in: ended.errors)
        #expect(said != nil, "\(ended.errors)")
        try waitUntil("the job is cancelled", context: { service.log }) {
            let state = try service.status()
            return state.cancelled == 1 && state.running == 0
        }
    }

    /// Hundreds of steps: far longer than anything that happens to it meanwhile.
    private static let long = [
        "--prompt", "red heart", "--width", "128", "--height", "128", "--steps", "1000", "--seed",
        "3",
    ]
}
