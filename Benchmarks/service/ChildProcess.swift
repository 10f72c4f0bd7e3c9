// Broker, workers and proxies run in processes of their own: so they can be killed, and their
// memory and processor time are theirs alone.

import Foundation

/// This program again, with a hidden subcommand. It ends when this process does: its standard input
/// closes.
final class ChildProcess {
    /// What the process printed once it was ready, by words.
    let greeting: [String]
    private let process = Process()
    private let input = Pipe()

    /// Starts a subcommand and waits until it prints its first line.
    init(_ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = try Self.program()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first {
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        greeting = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
        guard !greeting.isEmpty else {
            process.waitUntilExit()
            throw BenchmarkFailure("\(arguments.first ?? "the process") ended at its start")
        }
    }

    deinit { kill() }

    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Ends it as a crash would.
    func kill() {
        guard process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Lets the parent know that the calling process is ready, and returns when the parent ends.
    static func serve(_ greeting: String) {
        print(greeting)
        fflush(nil)
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(STDIN_FILENO, &buffer, buffer.count) > 0 {}
    }

    /// Runs something in a thread of its own; an error ends the process.
    static func inBackground(_ body: @escaping @Sendable () throws -> Void) {
        let thread = Thread {
            do {
                try body()
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                exit(1)
            }
        }
        thread.start()
    }

    private static func program() throws -> URL {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path)
    }

    // What the kernel counts.

    /// Bytes in memory.
    func residentBytes() throws -> Double {
        let fields = try kernelFile("statm").split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else {
            throw BenchmarkFailure("/proc has no memory of process \(identifier)")
        }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Seconds that all its threads have computed.
    func processorSeconds() throws -> Double {
        let threads = try FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(identifier)/task")
        return threads.reduce(0) { sum, thread in
            let text = try? kernelFile("task/\(thread)/schedstat")
            return sum + (text?.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1e9
        }
    }

    private func kernelFile(_ name: String) throws -> String {
        try String(contentsOfFile: "/proc/\(identifier)/\(name)", encoding: .utf8)
    }
}
