// Mutated and random frames: no decoder traps, what decodes encodes again, and memory stays flat.

import Foundation
import Testing

@testable import WireProtocol

@Suite struct FuzzTests {
    @Test func `mutated frames never trap`() throws {
        var random = RandomSource(seed: 0x7b1e)
        let started = ContinuousClock.now
        var accepted = 0
        var valid = try frames(&random)
        for iteration in 0..<Self.iterations {
            if iteration.isMultiple(of: 20_000) { valid = try frames(&random) }
            var frame = valid[random.below(valid.count)]
            mutate(&frame, &random)
            accepted += try decodeAll(frame)
        }
        print(
            "fuzz: \(Self.iterations) frames, \(accepted) decoded, \(ContinuousClock.now - started)"
        )
        #expect(accepted > 0)
        #expect(accepted < Self.iterations * 4)
    }

    @Test func `random bytes never trap`() throws {
        var random = RandomSource(seed: 11)
        var accepted = 0
        for _ in 0..<Self.iterations / 2 {
            accepted += try decodeAll(
                (0..<random.below(64)).map { _ in .init(truncatingIfNeeded: random.next()) })
        }
        #expect(accepted < Self.iterations)
    }

    @Test func `memory stays flat`() throws {
        var random = RandomSource(seed: 5)
        let valid = try frames(&random)
        func run(_ count: Int) throws {
            for _ in 0..<count {
                var frame = valid[random.below(valid.count)]
                mutate(&frame, &random)
                _ = try decodeAll(frame)
            }
        }
        try run(20_000)
        let before = try residentBytes()
        try run(100_000)
        #expect(try residentBytes() - before < 16 << 20)
    }

    private static let iterations =
        Int(ProcessInfo.processInfo.environment["TURBINE_FUZZ_FRAMES"] ?? "") ?? 200_000

    private func frames(_ random: inout RandomSource) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        for message in ClientMessage.eachKind(&random) { frames.append(try message.encoded()) }
        for message in ServerMessage.eachKind(&random) { frames.append(try message.encoded()) }
        for message in WorkerMessage.eachKind(&random) { frames.append(try message.encoded()) }
        for message in BrokerMessage.eachKind(&random) { frames.append(try message.encoded()) }
        return frames
    }

    private func mutate(_ frame: inout [UInt8], _ random: inout RandomSource) {
        for _ in 0...random.below(4) where !frame.isEmpty {
            let position = random.below(frame.count)
            switch random.below(6) {
            case 0: frame[position] ^= 1 << UInt8(random.below(8))
            case 1: frame[position] = UInt8(truncatingIfNeeded: random.next())
            case 2: frame.removeSubrange(position...)
            case 3: frame.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
            case 4: frame.remove(at: position)
            default: frame += frame[position...]
            }
        }
    }

    /// How many of the four decoders take the frame; what they read must encode again.
    private func decodeAll(_ frame: [UInt8]) throws -> Int {
        var count = 0
        func check<Message: WireEnvelope>(_ type: Message.Type) throws {
            guard let message = try? Message(frame: frame) else { return }
            count += 1
            let again = try Message(frame: message.encoded())
            if again != message { Issue.record("\(message) became \(again)") }
        }
        try check(ClientMessage.self)
        try check(ServerMessage.self)
        try check(WorkerMessage.self)
        try check(BrokerMessage.self)
        return count
    }

    private func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(
            separator: " ")
        return (Int(fields[1]) ?? 0) * 4096
    }
}
