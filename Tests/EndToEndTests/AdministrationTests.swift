// The commands with which people look after a service, as processes.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct AdministrationTests {
    /// Far longer than anything that happens to it meanwhile.
    private static let long = [
        "--prompt", "red heart", "--width", "128", "--height", "128", "--steps", "1000", "--seed",
        "3",
    ]

    /// Kills a worker after another, each with the job at work, until it is in quarantine.
    /// - Returns: the names of the workers.
    private func killWorkers(_ service: Service, job: Int, named prefix: String) throws -> [String]
    {
        var names: [String] = []
        while try service.status().quarantined == 0 {
            let name = "\(prefix)\(names.count + 1)"
            try #require(names.count < 5, "\(service.log)")
            try service.startWorker(name)
            try waitUntil("\(name) draws", context: { service.log }) {
                try service.status().workers.contains {
                    $0.name == name && $0.jobID == job && $0.step >= 1
                }
            }
            try service.killWorker(name)
            names.append(name)
            // Noticed by its heartbeats, which do not come any more.
            try waitUntil("\(name) is missed", context: { service.log }) {
                let state = try service.status()
                return state.running == 0 && state.queued + state.quarantined == 1
            }
        }
        return names
    }

    @Test func quarantinedJobsAreInspectedReleasedAndDiscarded() throws {
        let service = try Service(workers: [])
        let submitted = try service.run(
            "submit", Self.long + ["--detach", "--request-id", "killer"])
        #expect(submitted.output == "1\n", "\(submitted)")
        #expect(try service.quarantine("list").output.isEmpty)
        let victims = try killWorkers(service, job: 1, named: "first-")
        #expect(victims.count == 3)

        let list = try service.quarantine("list")
        #expect(list.outputLines.count == 1 && list.output.hasPrefix("1\tquarantined\t"), "\(list)")
        let inspection = try service.quarantine("inspect", "1")
        #expect(inspection.output.hasPrefix(list.output), "\(inspection)")
        // The last death is told, the one that put the job there.
        let beginning = "  attempt 3 on \(try #require(victims.last)) after step "
        #expect(
            inspection.outputLines.contains { $0.hasPrefix(beginning) }, "\(inspection.output)")
        #expect(inspection.output.contains("red heart"))
        let unknown = try service.quarantine("inspect", "77")
        #expect(unknown.exitCode == 1 && unknown.errors.hasPrefix("turbine: "), "\(unknown)")

        #expect(try service.quarantine("release", "1").output == "job 1 is queued again\n")
        #expect(try service.quarantine("list").output.isEmpty)
        #expect(try !killWorkers(service, job: 1, named: "second-").isEmpty)
        #expect(try service.quarantine("discard", "1").output == "job 1 is discarded\n")
        let jobs = try service.run("jobs", [])
        #expect(jobs.output.hasPrefix("1\tfailed\t"), "\(jobs)")
        let late = try service.quarantine("release", "1")
        #expect(late.exitCode == 1 && late.errors.hasPrefix("turbine: "), "\(late)")
        let attached = try service.run("attach", ["killer", "--output", "never.png"])
        #expect(attached.exitCode == 1 && !service.folder.exists("never.png"), "\(attached)")
    }

    @Test func cancellingByRequestID() throws {
        let service = try Service()
        for name in ["at-work", "waiting"] {
            let outcome = try service.run(
                "submit", Self.long + ["--detach", "--request-id", name])
            #expect(outcome.succeeded, "\(outcome)")
        }
        #expect(try service.waitForWork().jobID == 1)
        let waiting = try service.run("cancel", ["waiting"])
        #expect(waiting.output == "job 2 is cancelled after 0 steps\n", "\(waiting)")
        let working = try service.run("cancel", ["at-work"])
        #expect(
            try /job 1 is cancelled after [1-9]\d* steps\n/.wholeMatch(in: working.output) != nil,
            "\(working)")
        let unknown = try service.run("cancel", ["nobodys"])
        #expect(unknown.exitCode == 1 && unknown.errors.hasPrefix("turbine: "), "\(unknown)")
        #expect(try service.status().cancelled == 2)
    }

    @Test func statusIsWatched() throws {
        let service = try Service()
        let json = try service.start("status", ["--json", "--watch", "--interval", "0.1"])
        let text = try service.start("status", ["--watch", "--interval", "0.1"])
        let made = try service.run(
            "submit", ["--prompt", "cat", "--output", "a.png"] + Turbine.small)
        #expect(made.succeeded, "\(made)")
        // Both tell the news by themselves, again and again.
        try waitUntil("the end is seen", context: { json.output + text.output }) {
            json.output.contains("\"completed\":1,") && json.output.count { $0 == "\n" } > 2
                && text.output.contains("completed 1, failed 0")
                && text.output.contains("\none\tidle\t")
        }
        for watcher in [json, text] {
            watcher.send(SIGINT)
            #expect(try watcher.wait().exitCode == 0)
        }
        let lines = json.output.split(separator: "\n")
        #expect(lines.count > 2)
        for line in lines {
            let state = try JSONDecoder().decode(ServiceState.self, from: Data(line.utf8))
            #expect(state.workers.map(\.name) == ["one"] && state.failed == 0)
        }
        #expect(!text.output.contains("\u{1b}"), "this is no terminal")
    }

    @Test func urgentJobsComeFirst() throws {
        let service = try Service(workers: [])
        for priority in ["low", "normal", "high"] {
            let outcome = try service.run(
                "submit", Self.long + ["--detach", "--priority", priority])
            #expect(outcome.succeeded, "\(outcome)")
        }
        let jobs = try service.run("jobs", [])
        let priorities = jobs.outputLines.map { $0.split(separator: "\t")[4] }
        #expect(priorities == ["low", "normal", "high"], "\(jobs)")
        try service.startWorker("one")
        for job in ["3", "2", "1"] {
            #expect(try service.waitForWork().jobID == Int(job), "\(service.log)")
            #expect(try service.run("cancel", [job]).succeeded)
            try waitUntil("the worker is given the next", context: { service.log }) {
                try !service.status().workers.contains { $0.jobID == Int(job) }
            }
        }
    }

    @Test func aDeadlineEndsSubmit() throws {
        let service = try Service(workers: [])
        let late = try service.run(
            "submit", Self.long + ["--deadline", "0.5", "--output", "late.png"])
        #expect(late.exitCode == 1 && late.errors.contains("deadline"), "\(late)")
        #expect(!service.folder.exists("late.png"))
        try service.startWorker("one")
        let made = try service.run(
            "submit", ["--prompt", "cat", "--deadline", "600", "--output", "a.png"] + Turbine.small)
        #expect(made.succeeded && service.folder.exists("a.png"), "\(made)")
    }

    @Test func modelsAndPreviewsAreChosen() throws {
        let service = try Service()
        let status = try service.run("status", ["--json"]).json()
        let worker = try #require((status["workers"] as? [[String: Any]])?.first)
        let (name, hash) = (worker["model"] as? String, worker["modelHash"] as? String)
        let request = ["--prompt", "red heart", "--seed", "4", "--steps", "40"]
        let small = ["--width", "64", "--height", "48"]
        let choices = [
            ["--model-name", try #require(name)], ["--model-hash", try #require(hash)],
        ]
        for (index, choice) in choices.enumerated() {
            let preview = ["--preview-out", "preview-\(index).png", "--preview-every", "2"]
            let made = try service.run(
                "submit", request + small + choice + preview + ["--output", "\(index).png"])
            #expect(made.succeeded, "\(made)")
            let picture = try service.folder.data("preview-\(index).png")
            #expect(picture.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]))
            #expect(try picture != service.folder.data("\(index).png"))
        }
        #expect(try service.folder.data("0.png") == service.folder.data("1.png"))
        let both = try service.run("submit", request + ["--output", "a.png"] + choices.joined())
        #expect(both.exitCode == 64 && both.errors.contains("exclude each other"), "\(both)")
        // Nobody has it, so nobody draws it: it waits, or is refused at once.
        let other = try service.run(
            "submit",
            request + small + ["--model-name", "nobodys", "--deadline", "5", "--output", "b.png"])
        #expect(other.exitCode == 1 && !service.folder.exists("b.png"), "\(other)")
        #expect(try service.status().workers.first?.jobsCompleted == 2)
    }

    @Test func keysOpenWhatTheirRolesMayDo() throws {
        let keys = try Keys()
        for (name, path) in [("worker", "worker/worker"), ("broker", "broker/broker")] {
            let file = keys.path("\(path).key_secret")
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let again = try Turbine.run(["keygen", name, "--out", keys.path(name)])
            #expect(again.exitCode == 1 && again.errors.contains("\(name).key"), "\(again)")
        }
        let service = try Service(workers: [], brokerOptions: ["--keys", keys.path("broker")])
        try service.startWorker("one", ["--keys", keys.path("worker")])
        let request = ["--prompt", "cat"] + Turbine.small
        func submit(_ output: String, _ options: [String]) throws -> Turbine.Outcome {
            try service.run("submit", request + ["--output", output] + options)
        }
        let served = try submit("a.png", ["--keys", keys.path("client")])
        #expect(served.succeeded && service.folder.exists("a.png"), "\(served)\(service.log)")
        let named = try submit(
            "b.png",
            [
                "--key", keys.path("client/client.key_secret"), "--broker-key",
                keys.path("broker/broker.key"),
            ])
        #expect(named.succeeded, "\(named)")
        for refused in [[], ["--keys", keys.path("stranger")]] {
            let outcome = try submit("c.png", refused + ["--timeout", "4"])
            #expect(outcome.exitCode == 1 && !service.folder.exists("c.png"), "\(outcome)")
        }
        // A client may not decide on others' jobs, an admin may.
        let client = try service.quarantine("list", "--keys", keys.path("client"))
        #expect(client.exitCode == 1 && client.errors.hasPrefix("turbine: "), "\(client)")
        let admin = try service.quarantine("list", "--keys", keys.path("admin"))
        #expect(admin.succeeded && admin.output.isEmpty, "\(admin)")
        let all = try service.run("jobs", ["--all", "--keys", keys.path("admin")])
        #expect(all.outputLines.count == 2, "\(all)")
    }
}

extension Service {
    /// `turbine quarantine` with a subcommand.
    fileprivate func quarantine(_ arguments: String...) throws -> Turbine.Outcome {
        try Turbine.run(
            ["quarantine", arguments[0], "--broker", clientEndpoint] + arguments.dropFirst())
    }
}
