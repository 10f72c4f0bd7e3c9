// `turbine up`: children that die are started again, and none is ever left behind.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct UpTests {
    /// `turbine up` on ports of its own. Its children, which have process groups of their own, go
    /// with the value.
    private final class Up {
        let folder: TemporaryFolder
        let supervisor: Running
        let endpoint: String

        init(workers: Int, _ options: [String] = []) throws {
            folder = try TemporaryFolder()
            endpoint = "tcp://127.0.0.1:\(try FreePort.next())"
            supervisor = try Running(
                Turbine.path,
                [
                    "up", "--workers", "\(workers)", "--data", folder.file("data"), "--threads",
                    "1", "--client-endpoint", endpoint, "--worker-endpoint",
                    "tcp://127.0.0.1:\(try FreePort.next())", "--http",
                    "127.0.0.1:\(try FreePort.next())", "--model", Turbine.boxModel,
                ] + options, folder: folder.path)
            let supervisor = supervisor
            try waitUntil("up is ready", context: { supervisor.errors }) {
                guard supervisor.isRunning else {
                    throw Impatience(description: "up ended: \(supervisor.errors)")
                }
                return supervisor.output.hasPrefix("ready clients=")
            }
        }

        deinit { for child in livingChildren { kill(child, SIGKILL) } }

        /// All processes that a child has had so far, the last one last.
        func processes(of child: String) -> [pid_t] {
            supervisor.errors.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard words.count > 5, words[1] == child, line.contains("started as process")
                else { return nil }
                return words.last.flatMap { pid_t($0) }
            }
        }

        /// The children that have not ended, zombies aside; asked of the system, not of the log.
        var livingChildren: [pid_t] {
            let known = ["broker", "worker-1", "worker-2"].flatMap { processes(of: $0) }
            return known.filter { child in
                guard
                    let status = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
                else { return false }
                let state = status.split(separator: ")").last?.first { $0 != " " }
                return status.contains("(turbine)") && state != "Z"
            }
        }

        func submit(_ arguments: [String]) throws -> Turbine.Outcome {
            try Turbine.run(
                ["submit", "--broker", endpoint] + arguments, folder: folder.path)
        }

        /// Waits until a child runs that is not one of those that it had.
        func waitForSuccessor(of child: String, after count: Int) throws {
            try waitUntil("\(child) is started again", context: { self.supervisor.errors }) {
                processes(of: child).count > count
            }
        }

        func waitUntilNobodyIsLeft() throws {
            try waitUntil("all children end", context: { "\(self.livingChildren)" }) {
                livingChildren.isEmpty
            }
        }
    }

    @Test func killedChildrenComeBackAndOneInterruptEndsAll() throws {
        let up = try Up(workers: 2)
        let request = ["--prompt", "red heart"] + Turbine.small
        #expect(try up.submit(request + ["--output", "first.png"]).succeeded)

        let worker = try #require(up.processes(of: "worker-1").last)
        kill(worker, SIGKILL)
        try up.waitForSuccessor(of: "worker-1", after: 1)
        #expect(up.supervisor.errors.contains("ended by signal 9"))
        #expect(up.supervisor.errors.contains("starting again in 0.5 s"))
        try waitUntil("both workers are there", context: { up.supervisor.errors }) {
            let status = try Turbine.run(["status", "--broker", up.endpoint, "--json"])
            guard status.succeeded else { return false }
            let state = try JSONDecoder().decode(
                ServiceState.self, from: Data(status.output.utf8))
            return Set(state.workers.filter { $0.state == "idle" }.map(\.name))
                == ["worker-1", "worker-2"]
        }

        // A job that is accepted before the broker dies is there afterwards.
        let detached = try up.submit(
            [
                "--prompt", "red heart", "--steps", "60", "--width", "96", "--height", "96",
                "--seed",
                "5", "--request-id", "survivor", "--detach",
            ])
        #expect(detached.succeeded, "\(detached.errors)")
        let broker = try #require(up.processes(of: "broker").last)
        kill(broker, SIGKILL)
        try up.waitForSuccessor(of: "broker", after: 1)
        let fetched = try Turbine.run(
            ["attach", "--broker", up.endpoint, "survivor", "--output", "survivor.png"],
            folder: up.folder.path)
        #expect(fetched.succeeded, "\(fetched.errors)\(up.supervisor.errors)")
        #expect(up.folder.exists("survivor.png"))
        #expect(try up.submit(request + ["--output", "second.png"]).succeeded)
        #expect(try up.folder.data("first.png") == up.folder.data("second.png"))
        #expect(up.livingChildren.count == 3)

        up.supervisor.send(SIGINT)
        let ended = try up.supervisor.wait(seconds: 60)
        #expect(ended.exitCode == 0, "\(ended.errors)")
        #expect(ended.errors.hasSuffix("supervisor stopped\n"), "\(ended.errors)")
        #expect(up.livingChildren.isEmpty)
        #expect(up.processes(of: "broker").count == 2)
        #expect(!ended.errors.contains("worker-2   ended by signal"))
    }

    /// Interrupted with a job at work, it is over soon all the same: the worker may take its time
    /// to finish, 20 s, and then hands back.
    @Test func interruptedAtWork() throws {
        let up = try Up(workers: 1)
        let detached = try up.submit([
            "--prompt", "red heart", "--steps", "40", "--width", "96", "--height", "96", "--seed",
            "5", "--request-id", "at-work", "--detach",
        ])
        #expect(detached.succeeded)
        up.supervisor.send(SIGTERM)
        let ended = try up.supervisor.wait(seconds: 90)
        #expect(ended.exitCode == 0, "\(ended.errors)")
        #expect(up.livingChildren.isEmpty)
    }

    /// One folder of keys serves the broker and its workers, as docs/operations.md says.
    @Test func oneFolderOfKeysServesAll() throws {
        let keys = try Keys()
        try keys.folder.copy("worker/worker.key_secret", to: "broker/worker.key_secret")
        let up = try Up(workers: 1, ["--keys", keys.path("broker"), "--maximum-steps", "3"])
        let request = ["--prompt", "red heart", "--output", "a.png"] + Turbine.small
        let served = try up.submit(request + ["--keys", keys.path("client")])
        #expect(served.succeeded, "\(served.errors)\(up.supervisor.errors)")
        #expect(up.folder.exists("a.png"))
        let keyless = try up.submit(request + ["--timeout", "4"])
        #expect(keyless.exitCode == 1, "\(keyless)")
        // The broker's limits come through `up`, too.
        let long = try up.submit(request + ["--keys", keys.path("client"), "--steps", "4"])
        #expect(long.exitCode == 1 && long.errors.contains("3"), "\(long)")
        up.supervisor.send(SIGTERM)
        #expect(try up.supervisor.wait(seconds: 90).exitCode == 0)
    }

    @Test func childrenEndWithAKilledSupervisor() throws {
        let up = try Up(workers: 2)
        #expect(up.livingChildren.count == 3)
        up.supervisor.send(SIGKILL)
        _ = try up.supervisor.wait()
        try up.waitUntilNobodyIsLeft()
    }
}
