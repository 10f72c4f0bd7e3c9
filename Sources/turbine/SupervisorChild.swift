// One child process: start, output, end.
import Foundation

/// A child in a process group of its own, its output in a pipe.
final class SupervisedChild {
    let program: SupervisedProgram
    private(set) var processID: pid_t = 0
    /// The reading end of its standard output and error; -1 if it is not running.
    private(set) var output: Int32 = -1
    /// The writing end of its standard input: it reads the end of file when we are gone.
    private var lifeline: Int32 = -1
    /// When it may be started next, and when it was last, in monotonic seconds.
    var startAt = 0.0
    private(set) var startedAt = 0.0
    /// Ends in a row that came too soon.
    var failures = 0
    private var line: [UInt8] = []

    init(_ program: SupervisedProgram) { self.program = program }

    var isRunning: Bool { processID > 0 }

    /// Starts the program.
    /// - Throws: `SupervisorError` if the system cannot.
    func start(at now: Double) throws {
        var (input, out): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        let isPiped = pipe(&input) == 0 && pipe(&out) == 0
        defer { for end in [input[0], out[1]] where end >= 0 { close(end) } }
        for end in input + out where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var code = isPiped ? spawn(input: input[0], output: out[1]) : errno
        if code == 0, fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 { code = errno }
        guard code == 0 else {
            for end in [input[1], out[0]] where end >= 0 { close(end) }
            throw SupervisorError(
                code: .cannotStart, what: String(cString: strerror(code)),
                location: program.command.first ?? program.name,
                remedy: "check that it is an executable file")
        }
        (lifeline, output, startedAt) = (input[1], out[0], now)
    }

    private func spawn(input: Int32, output: Int32) -> Int32 {
        guard let path = program.command.first else { return ENOENT }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own keeps the terminal's Ctrl-C away: the supervisor stops in order.
        var defaults = sigset_t()
        var unblocked = sigset_t()
        sigfillset(&defaults)
        sigemptyset(&unblocked)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments: [UnsafeMutablePointer<CChar>?] = program.command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, path, &actions, &attributes, arguments, environ)
        if code == 0 { processID = id }
        return code
    }

    /// Sends a signal: SIGKILL to all its group, others to itself.
    func signal(_ number: Int32) {
        guard isRunning else { return }
        kill(number == SIGKILL ? -processID : processID, number)
    }

    /// How it ended, once, after it has; what it left behind in its group is killed.
    func reap() -> String? {
        var status: Int32 = 0
        guard isRunning, waitpid(processID, &status, WNOHANG) == processID else { return nil }
        kill(-processID, SIGKILL)
        processID = 0
        if lifeline >= 0 { close(lifeline) }
        lifeline = -1
        let signal = status & 0x7f
        return signal == 0
            ? "ended with code \(status >> 8 & 0xff)"
            : "ended by signal \(signal) (\(String(cString: strsignal(signal))))"
    }

    /// Reads what there is and hands out whole lines.
    /// - Returns: How many bytes there were.
    func read(_ take: (String) -> Void) -> Int {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(output, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        for byte in buffer[..<count] {
            if byte == UInt8(ascii: "\n") || line.count >= 8_192 { flush(take) }
            if byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\r") { line.append(byte) }
        }
        return count
    }

    /// Hands out the unfinished line and closes the pipe.
    func closeOutput(_ take: (String) -> Void) {
        if !line.isEmpty { flush(take) }
        if output >= 0 { close(output) }
        output = -1
    }

    private func flush(_ take: (String) -> Void) {
        take(String(decoding: line, as: UTF8.self))
        line.removeAll(keepingCapacity: true)
    }
}
