// What the program reads and writes: results on standard output, messages on standard error.
import Foundation
import ImagePipeline

enum StandardOutput {
    /// One line on standard output.
    /// - Throws: `GenerationError` when it cannot be written, so that a full disk behind a
    ///   redirection does not pass for success.
    static func write(_ line: String) throws {
        try write(Array((line + "\n").utf8))
    }

    static func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let count = Foundation.write(
                    STDOUT_FILENO, bytes.baseAddress! + start, bytes.count - start)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw unwritable }
                start += count
            }
        }
    }

    private static var unwritable: GenerationError {
        GenerationError(
            code: .unwritableOutput, field: "standard output",
            what: "cannot be written: \(String(cString: strerror(errno)).lowercased())",
            remedy: "send it to a file or a program that takes it")
    }
}

/// Standard input, line by line, as bytes: what is not UTF-8 can be told from what is.
struct StandardInputLines: Sequence, IteratorProtocol {
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private static let chunkLength = 1 << 16

    /// The next line without its end; nil at the end of the input.
    mutating func next() -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            if isAtEnd {
                defer { buffer.removeAll() }
                return buffer.isEmpty ? nil : buffer
            }
            readChunk()
        }
    }

    private mutating func readChunk() {
        let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkLength) { memory, count in
            var result = 0
            repeat {
                result = read(STDIN_FILENO, memory.baseAddress, memory.count)
            } while result < 0 && errno == EINTR
            count = Swift.max(result, 0)
        }
        isAtEnd = chunk.isEmpty
        buffer += chunk
    }
}

enum StandardError {
    /// Longest message, in characters: text of others is repeated in messages.
    private static let limit = 1000

    /// One line on standard error, whatever the text holds.
    static func write(_ line: String) {
        var text = ""
        for scalar in line.prefix(limit).unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control
            let isBreak = scalar == "\u{2028}" || scalar == "\u{2029}"
            text += isControl || isBreak ? "\\u{\(String(scalar.value, radix: 16))}" : "\(scalar)"
        }
        if line.count > limit { text += "…" }
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
