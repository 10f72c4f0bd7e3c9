// Keeps child processes running: `turbine up` is this and a list of commands.
//
// One thread, no locks: children's output comes through pipes, their ends through `waitpid`.
// Each child's standard input is the reading end of a pipe that only the supervisor holds open,
// so a child sees an end of file when the supervisor is gone, however it went.
import Foundation

/// A program to keep running.
struct SupervisedProgram {
    /// The prefix of its log lines, and its name in messages.
    let name: String
    /// The executable and its arguments.
    let command: [String]
    /// Children of a lower stage are started first and stopped last.
    let stage: Int
}

/// How often and how fast a child is started again.
struct RestartPolicy {
    /// The first pause in seconds; doubles with each end that comes too soon.
    var shortestPause = 0.5
    /// The longest pause in seconds.
    var longestPause = 30.0
    /// Running this many seconds makes earlier ends forgotten.
    var healthyAfter = 60.0
    /// Ends in a row, each too soon, after which the supervisor gives up.
    var failuresBeforeGivingUp = 6
    /// Seconds that a stage may take to stop before it is killed.
    var stopTime = 600.0

    /// The pause before the next start; nil is to give up.
    func pause(afterFailures count: Int) -> Double? {
        guard count < failuresBeforeGivingUp else { return nil }
        return min(shortestPause * pow(2, Double(max(count, 1) - 1)), longestPause)
    }
}

/// Why a supervisor ended without being asked to.
struct SupervisorError: Error, Equatable, CustomStringConvertible {
    /// The closed list of reasons.
    enum Code: String {
        /// A child cannot be started at all.
        case cannotStart
        /// A child ended too often, too soon.
        case gaveUp
    }

    /// Which reason.
    let code: Code
    /// What was wrong, as a clause.
    let what: String
    /// The child.
    let location: String
    /// What to do about it.
    let remedy: String

    var description: String { "\(location): \(what); \(remedy)." }
}

/// Starts programs, restarts those that end, merges their logs, and stops all in order.
final class Supervisor {
    private let policy: RestartPolicy
    /// How many requests to stop there were: one stops in order, two kill.
    private let stopRequests: () -> Int
    /// Gets each line of the merged log, without its end.
    private let log: (String) -> Void
    /// Gets each line of a child as it is, with the child's name.
    private let onLine: (String, String) -> Void
    private var children: [SupervisedChild]

    /// Prepares to run `programs`.
    init(
        programs: [SupervisedProgram], policy: RestartPolicy = RestartPolicy(),
        stopRequests: @escaping () -> Int, log: @escaping (String) -> Void,
        onLine: @escaping (String, String) -> Void = { _, _ in }
    ) {
        self.policy = policy
        self.stopRequests = stopRequests
        self.log = log
        self.onLine = onLine
        children = programs.sorted { $0.stage < $1.stage }.map { SupervisedChild($0) }
    }

    /// Runs until asked to stop, or until a child cannot be kept running; then no child is left.
    func run() throws {
        do {
            while stopRequests() == 0 { try turn() }
        } catch {
            write("supervisor", "\(error)")
            stopAll()
            throw error
        }
        write("supervisor", "stopping; once more to kill")
        stopAll()
        write("supervisor", "stopped")
    }

    /// The process ids of the running children, by name.
    var processIDs: [String: pid_t] {
        var ids: [String: pid_t] = [:]
        for child in children where child.isRunning { ids[child.program.name] = child.processID }
        return ids
    }

    private func turn() throws {
        let now = Self.seconds()
        for child in children where !child.isRunning && child.startAt <= now {
            try child.start(at: now)
            write(child.program.name, "started as process \(child.processID)")
        }
        pump()
        for child in children {
            guard let ending = child.reap() else { continue }
            drain(child)
            let now = Self.seconds()
            if now - child.startedAt >= policy.healthyAfter { child.failures = 0 }
            child.failures += 1
            guard let pause = policy.pause(afterFailures: child.failures) else {
                throw SupervisorError(
                    code: .gaveUp, what: "\(ending), \(child.failures) times in a row",
                    location: child.program.name,
                    remedy: "its last lines above say why; mend that and start again")
            }
            child.startAt = now + pause
            write(child.program.name, "\(ending); starting again in \(pause) s")
        }
    }

    /// Stops stage by stage, the highest first, with a SIGTERM and time to finish.
    private func stopAll() {
        for stage in Set(children.map(\.program.stage)).sorted(by: >) {
            let members = children.filter { $0.program.stage == stage && $0.isRunning }
            for child in members { child.signal(SIGTERM) }
            let deadline = Self.seconds() + policy.stopTime
            while members.contains(where: \.isRunning) {
                if stopRequests() > 1 || Self.seconds() > deadline {
                    for child in children where child.isRunning { child.signal(SIGKILL) }
                }
                pump()
                for child in children {
                    guard let ending = child.reap() else { continue }
                    drain(child)
                    write(child.program.name, ending)
                }
            }
        }
    }

    /// Waits at most a tenth of a second for output, and logs what came.
    private func pump() {
        var polls = children.map { child in
            pollfd(fd: child.isRunning ? child.output : -1, events: Int16(POLLIN), revents: 0)
        }
        guard poll(&polls, nfds_t(polls.count), 100) > 0 else { return }
        for (child, answer) in zip(children, polls) where answer.revents != 0 {
            // A child that closed its output but lives on would make `poll` return at once.
            if child.read({ write(child.program.name, $0) }) == 0 { usleep(10_000) }
        }
    }

    /// Logs what a dead child left in its pipe, without waiting for heirs that keep it open.
    private func drain(_ child: SupervisedChild) {
        while child.read({ write(child.program.name, $0) }) > 0 {}
        child.closeOutput { write(child.program.name, $0) }
    }

    private func write(_ name: String, _ line: String) {
        let width = (children.map(\.program.name.count) + [10]).max() ?? 10
        let label = name.padding(toLength: width, withPad: " ", startingAt: 0)
        log("\(Self.clock()) \(label) \(line)")
        if name != "supervisor" { onLine(name, line) }
    }

    private static func clock() -> String {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var parts = tm()
        localtime_r(&moment.tv_sec, &parts)
        return String(
            format: "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec,
            moment.tv_nsec / 1_000_000)
    }

    private static func seconds() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}
