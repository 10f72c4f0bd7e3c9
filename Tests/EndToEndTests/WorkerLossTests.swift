// Workers that go away in the middle of a job: killed, or told to stop.
import Foundation
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestPython.isThere, "TURBINE_TEST_PYTHON names a Python"))
struct WorkerLossTests {
    /// One job of some seconds, in one image or several.
    struct Job: CustomTestStringConvertible {
        let steps: Int
        var images = 1
        var share: Double?

        var testDescription: String {
            "\(images) images of \(steps) steps, \(share == nil ? "not pruned" : "pruned")"
        }

        var arguments: [String: Any] {
            var arguments: [String: Any] = [
                "prompt": "red heart", "width": 96, "height": 64, "cfg_scale": 2.0, "seed": 9,
                "num_inference_steps": steps, "num_images": images,
            ]
            if let share {
                arguments["prune_share"] = share
                arguments["prune_rejudge"] = 4
            } else {
                arguments["pruning"] = false
            }
            return arguments
        }

        /// The same for `turbine generate`.
        var options: [String] {
            let pruning =
                share.map { ["--prune-share", "\($0)", "--prune-interval", "4"] } ?? ["--no-prune"]
            return [
                "--prompt", "red heart", "--width", "96", "--height", "64", "--guidance", "2",
                "--seed", "9", "--steps", "\(steps)", "--count", "\(images)", "--json",
            ] + pruning
        }

        /// The hashes of an undisturbed run.
        func undisturbed(in folder: TemporaryFolder) throws -> [String] {
            let outcome = try Turbine.run(
                ["generate"] + options + ["--output", "undisturbed.png"], folder: folder.path)
            return try Turbine.hashes(outcome)
        }
    }

    @Test(arguments: [
        (Job(steps: 90), 0), (Job(steps: 90, share: 0.37), 0), (Job(steps: 30, images: 3), 1),
    ])
    func anotherWorkerGoesOn(job: Job, killedAtImage image: Int) throws {
        let service = try Service(workers: ["one", "two"])
        let follower = try Follower(service, job.arguments)
        try follower.waitForStep(10, image: image)
        let victim = try service.waitForWork()
        try service.killWorker(victim.name)

        let end = try follower.wait()
        let result = try #require(end.result, "\(end) \(service.log)")
        #expect(result.attempts == 2)
        #expect(result.worker != victim.name)
        #expect(try result.sha256 == job.undisturbed(in: service.folder))
        let before = try follower.steps(ofAttempt: 1, stepsAnImage: job.steps)
        let after = try follower.steps(ofAttempt: 2, stepsAnImage: job.steps)
        #expect(try #require(before.max()) >= image * job.steps + 10)
        // At most one step is done again: what the client heard was kept by the broker.
        #expect(try #require(after.min()) >= #require(before.max()))
        #expect(after.max() == job.steps * job.images)
    }

    /// A worker that is told to stop finishes its job when there is time for it.
    @Test func aDrainingWorkerFinishes() throws {
        let job = Job(steps: 100)
        let service = try Service(workers: ["one"])
        let follower = try Follower(service, job.arguments)
        try follower.waitForStep(10)
        let worker = try #require(service.workers["one"])
        worker.send(SIGTERM)
        let result = try #require(try follower.wait().result, "\(service.log)")
        #expect(result.attempts == 1 && result.worker == "one")
        #expect(try result.sha256 == job.undisturbed(in: service.folder))
        #expect(try worker.wait().exitCode == 0, "\(worker.errors)")
    }

    /// Without time it hands its latents back, and nobody counts that as a death.
    @Test func aDrainingWorkerHandsBack() throws {
        let job = Job(steps: 100, share: 0.37)
        let service = try Service(workers: [])
        for name in ["one", "two"] { try service.startWorker(name, ["--grace", "0"]) }
        try service.waitUntilReady(["one", "two"])
        let follower = try Follower(service, job.arguments)
        let holder = try service.waitForWork(steps: 10).name
        let first = try #require(service.workers[holder])
        first.send(SIGTERM)
        #expect(try first.wait().exitCode == 0, "\(first.errors)")
        #expect(first.errors.contains("is handed back"), "\(first.errors)")

        let result = try #require(try follower.wait().result, "\(service.log)")
        #expect(result.worker != holder)
        #expect(try result.sha256 == job.undisturbed(in: service.folder))
        let before = try follower.steps(ofAttempt: 1, stepsAnImage: job.steps)
        let after = try follower.steps(ofAttempt: result.attempts, stepsAnImage: job.steps)
        #expect(try #require(after.min()) > #require(before.max()))
        let metrics = try service.metrics()
        #expect(metrics.contains("\nturbine_worker_deaths_total 0\n"), "\(metrics)")
        #expect(metrics.contains("\nturbine_workers_lost_total 0\n"), "\(service.log)")
    }
}
