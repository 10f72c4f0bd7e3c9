// How fast and how large; figures are printed, only proportions are asserted.

import Glibc
import Testing

@testable import QueueCore

struct QueueSpeedTests {
    typealias Harness = QueueHarness

    static func submit(_ harness: inout Harness, _ index: Int) {
        let name = UInt64(index % 100)
        harness.submit(
            Harness.job(
                "request-\(index)-0123456789abcdef", steps: 1 + index % 8,
                priority: Priority.allCases[index % 3],
                payload: [UInt8](repeating: 1, count: 300)),
            by: Harness.client("client-\(name)", connection: name))
    }

    /// Submits `count` jobs of many clients; returns jobs a second.
    static func fill(_ harness: inout Harness, count: Int) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        for index in 0..<count { submit(&harness, index) }
        return Double(count) / (start.duration(to: clock.now) / .seconds(1))
    }

    static func residentBytes() -> Int {
        var fields: [Int] = []
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        if fgets(&line, 128, file) != nil {
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            fields = String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap {
                Int($0)
            }
        }
        return fields.count > 1 ? fields[1] * 4096 : 0
    }

    /// Microseconds to submit one job and to dispatch another, beside `count` waiting ones.
    static func turnover(_ harness: inout Harness, rounds: Int, from first: Int) -> Double {
        var lease = harness.leases[0].id
        let clock = ContinuousClock()
        let start = clock.now
        for index in first..<(first + rounds) {
            harness.now = harness.now + .milliseconds(1)
            submit(&harness, index)
            harness.complete(1, lease)
            lease = harness.leases[0].id
        }
        return start.duration(to: clock.now) / .microseconds(1) / Double(rounds)
    }

    @Test func aHundredThousandJobs() {
        var small = Harness()
        _ = Self.fill(&small, count: 100)
        small.register(1)
        var large = Harness()
        let before = Self.residentBytes()
        let submitted = Self.fill(&large, count: 100_000)
        let bytes = Double(Self.residentBytes() - before) / 100_000
        large.register(1)
        // Taken in turns, and the best of each: other processes disturb only upwards.
        var (ofSmall, ofLarge) = (Double.infinity, Double.infinity)
        for round in 0..<5 {
            ofSmall = min(
                ofSmall, Self.turnover(&small, rounds: 4000, from: 200_000 + round * 4000))
            ofLarge = min(
                ofLarge, Self.turnover(&large, rounds: 4000, from: 200_000 + round * 4000))
        }
        print("submitted \(Int(submitted)) a second; \(Int(bytes)) bytes a job, 300 its payload")
        print("submit and dispatch: \(ofSmall) µs beside 100 jobs, \(ofLarge) µs beside 100,000")
        #expect(large.queue.unfinished == 100_000 && small.queue.unfinished == 100)
        #expect(large.queue.line.count == 99_999)
        #expect(bytes < 2_048)
        #expect(ofLarge < 4 * ofSmall, "no step of it may take time with the number of jobs")
    }
}
