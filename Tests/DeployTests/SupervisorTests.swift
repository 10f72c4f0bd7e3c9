// The supervisor with shell scripts as children.
import Foundation
import Synchronization
import Testing

@testable import turbine

@Suite struct SupervisorTests {
    /// Runs a supervisor on a thread of its own until it ends.
    private func supervise(
        _ programs: [SupervisedProgram], policy: RestartPolicy = fast,
        watch: @escaping @Sendable (String, Recorder) -> Void
    ) async -> (error: SupervisorError?, lines: [String]) {
        let recorder = Recorder()
        return await withCheckedContinuation { continuation in
            Thread {
                let supervisor = Supervisor(
                    programs: programs, policy: policy, stopRequests: { recorder.stops },
                    log: { line in
                        recorder.add(line)
                        watch(line, recorder)
                    })
                var caught: SupervisorError?
                do { try supervisor.run() } catch { caught = error as? SupervisorError }
                let isAlone = supervisor.processIDs.isEmpty
                recorder.add(isAlone ? "nobody left" : "somebody left")
                continuation.resume(returning: (caught, recorder.lines))
            }.start()
        }
    }

    private static let fast = RestartPolicy(
        shortestPause: 0.02, longestPause: 0.1, healthyAfter: 60, failuresBeforeGivingUp: 4,
        stopTime: 20)

    private func shell(_ name: String, _ script: String, stage: Int = 0) -> SupervisedProgram {
        SupervisedProgram(name: name, command: ["/bin/sh", "-c", script], stage: stage)
    }

    @Test func workersStopBeforeTheBroker() async {
        let wait = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        let slow = "trap 'sleep 0.4; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        let run = await supervise([
            shell("worker-1", slow, stage: 1), shell("worker-2", wait, stage: 1),
            shell("broker", wait),
        ]) { _, recorder in
            let isUp = recorder.lines.count { $0.hasSuffix(" up") } == 3
            if isUp && recorder.stops == 0 { recorder.stop() }
        }
        #expect(run.error == nil && run.lines.last == "nobody left")
        let goodbyes = run.lines.filter { $0.hasSuffix(" bye") }
        #expect(goodbyes.count == 3)
        #expect(goodbyes.last?.contains("broker") == true)
        #expect(goodbyes.dropFirst().first?.contains("worker-1") == true)
        let started = run.lines.filter { $0.contains("started as process") }
        #expect(started.first?.contains("broker") == true)
    }

    @Test func aSecondRequestKills() async {
        let stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done"
        let run = await supervise([shell("broker", stubborn)]) { line, recorder in
            if line.hasSuffix(" up") { recorder.stop() }
            if line.contains("stopping;") { recorder.stop() }
        }
        #expect(run.error == nil && run.lines.last == "nobody left")
        #expect(run.lines.contains { $0.contains("signal 9") })
    }

    @Test func aChildThatEndsIsStartedAgainUntilItIsHopeless() async {
        let program = shell("broker", "echo 'no room on disk' >&2; exit 3")
        let run = await supervise([program]) { _, _ in }
        #expect(run.error?.code == .gaveUp && run.error?.location == "broker")
        #expect(run.error?.description.contains("code 3, 4 times in a row") == true)
        #expect(run.lines.count { $0.hasSuffix("no room on disk") } == 4)
        #expect(run.lines.contains { $0.contains("starting again in 0.08 s") })
    }

    @Test func aKilledChildComesBack() async {
        let script = "echo up; kill -9 $$"
        let run = await supervise([shell("worker-1", script, stage: 1)]) { _, recorder in
            let isBack = recorder.lines.count { $0.hasSuffix(" up") } == 2
            if isBack && recorder.stops == 0 { recorder.stop() }
        }
        #expect(run.error == nil)
        #expect(run.lines.contains { $0.contains("ended by signal 9") })
    }

    @Test func aMissingProgramIsAnError() async {
        let program = SupervisedProgram(name: "broker", command: ["/no/such/file"], stage: 0)
        let run = await supervise([program]) { _, _ in }
        #expect(run.error?.code == .cannotStart && run.error?.location == "/no/such/file")
    }

    @Test func logLinesHaveTimeAndName() async {
        let run = await supervise([shell("broker", "printf 'a\\nb'; sleep 30")]) { line, recorder in
            if line.hasSuffix(" a") { recorder.stop() }
        }
        let line = run.lines.first { $0.hasSuffix(" a") } ?? ""
        #expect(line.wholeMatch(of: /\d\d:\d\d:\d\d\.\d{3} broker     a/) != nil)
        #expect(run.lines.contains { $0.hasSuffix(" b") })
    }

    @Test func aChildSeesTheEndOfItsSupervisor() async throws {
        // `cat` ends at the end of file of its standard input: the lifeline.
        let pipe = Pipe()
        let isGone = Recorder()
        SupervisorLifeline.watch(descriptor: pipe.fileHandleForReading.fileDescriptor) {
            isGone.stop()
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(isGone.stops == 0)
        try pipe.fileHandleForWriting.close()
        for _ in 0..<2400 where isGone.stops == 0 { try await Task.sleep(for: .milliseconds(25)) }
        #expect(isGone.stops == 1)
        _ = pipe.fileHandleForReading
    }

    @Test func pausesDoubleUpToALimit() {
        let policy = RestartPolicy()
        let pauses = (1...6).map { policy.pause(afterFailures: $0) }
        #expect(pauses == [0.5, 1, 2, 4, 8, nil])
        let patient = RestartPolicy(failuresBeforeGivingUp: 100)
        #expect(patient.pause(afterFailures: 50) == 30)
    }
}

@Suite struct UpCommandTests {
    @Test func commandsNameTheirEndpoints() throws {
        let command = try UpCommand.parse([
            "--workers", "2", "--worker-endpoint", "tcp://*:7001", "--keys", "k", "--threads", "3",
        ])
        let programs = command.programs(executable: "/bin/turbine", model: "m")
        #expect(programs.map(\.name) == ["broker", "worker-1", "worker-2"])
        #expect(programs.map(\.stage) == [0, 1, 1])
        #expect(programs[0].command.prefix(2) == ["/bin/turbine", "broker"])
        #expect(
            programs[2].command == [
                "/bin/turbine", "worker", "--broker", "tcp://127.0.0.1:7001", "--model", "m",
                "--name",
                "worker-2", "--threads", "3", "--die-with-parent", "--keys", "k",
                "--grace=20.0",
            ])
        #expect(throws: (any Error).self) { try UpCommand.parse(["--workers", "0"]) }
    }

    /// What a broker or a worker can be told, `up` tells them: it means the same there.
    @Test func childrenGetTheirLimitsAndSettings() throws {
        // A name with a space in it, for a file that the broker reads, too.
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-presets-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let presets = folder.appendingPathComponent("p q.json").path
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        try FileManager.default.copyItem(
            atPath: root.appendingPathComponent("config/default.json").path, toPath: presets)
        let limits = [
            "--origin-grace", "5", "--maximum-pixels", "65536", "--maximum-side", "512",
            "--maximum-steps", "77",
            "--maximum-images", "3", "--maximum-jobs", "9", "--result-hours", "2",
            "--result-bytes", "1000000", "--maximum-store-bytes", "90000000",
        ]
        let settings = [
            "--max-pixels", "4096", "--grace", "2.5", "--presets", presets, "--templates", "t",
            "--templates", "u",
        ]
        let up = try UpCommand.parse(limits + settings)
        let children = up.programs(executable: "/bin/turbine", model: "m")
        let broker = try BrokerCommand.parse(Array(children[0].command.dropFirst(2)))
        let expected = try BrokerCommand.parse(["--data", "turbine-data"] + limits)
        let configuration = try broker.options.configuration()
        #expect(try configuration.requestLimits == expected.options.configuration().requestLimits)
        #expect(try configuration.queueLimits == expected.options.configuration().queueLimits)
        #expect(configuration.requestLimits.maximumSteps == 77)
        #expect(configuration.queueLimits.resultLifetime == .seconds(7200))
        #expect(configuration.maximumStoreBytes == 90_000_000)
        let worker = try WorkerCommand.parse(Array(children[1].command.dropFirst(2))).settings
        #expect(worker.maxPixels == 4096 && worker.grace == 2.5)
        #expect(worker.presets == presets && worker.templates == ["t", "u"])
    }

    @Test func readinessIsToldOnce() {
        let recorder = Recorder()
        let readiness = UpReadiness(tell: { recorder.add($0) })
        readiness.observe("worker-1", "loading")
        readiness.observe("broker", "ready")
        readiness.observe("broker", "listening clients=c workers=w http=h")
        readiness.observe("worker-2", "ready after 3 s")
        readiness.observe("worker-1", "ready")
        #expect(recorder.lines == ["ready clients=c workers=w http=h"])
    }
}

/// What happened, from any thread.
final class Recorder: Sendable {
    private let state = Mutex(([String](), 0))
    var lines: [String] { state.withLock { $0.0 } }
    var stops: Int { state.withLock { $0.1 } }
    func add(_ line: String) { state.withLock { $0.0.append(line) } }
    func stop() { state.withLock { $0.1 += 1 } }
}
