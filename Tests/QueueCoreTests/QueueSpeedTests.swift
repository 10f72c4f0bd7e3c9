// How fast and how large; figures are printed, only proportions are asserted.

import Glibc
import Testing

@testable import QueueCore

struct QueueSpeedTests {
    typealias Harness = QueueHarness

    /// Submits `count` jobs of many clients; returns jobs a second.
    static func fill(_ harness: inout Harness, count: Int) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        for index in 0..<count {
            let name = UInt64(index % 100)
            harness.submit(
                Harness.job(
                    "request-\(index)-0123456789abcdef", steps: 1 + index % 8,
                    priority: Priority.allCases[index % 3],
                    payload: [UInt8](repeating: 1, count: 300)),
                by: Harness.client("client-\(name)", connection: name))
        }
        return Double(count) / (start.duration(to: clock.now) / .seconds(1))
    }

    /// Dispatches and completes `count` jobs; returns jobs a second.
    static func serve(_ harness: inout Harness, count: Int) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var left = count
        while left > 0, let lease = harness.leases.first {
            harness.now = harness.now + .milliseconds(1)
            harness.complete(1, lease.id)
            left -= 1
        }
        return Double(count - left) / (start.duration(to: clock.now) / .seconds(1))
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

    @Test func aHundredThousandJobs() {
        var small = Harness()
        _ = Self.fill(&small, count: 100)
        small.register(1)
        let smallServe = Self.serve(&small, count: 100)

        var large = Harness()
        let before = Self.residentBytes()
        let submitted = Self.fill(&large, count: 100_000)
        let bytes = Double(Self.residentBytes() - before) / 100_000
        large.register(1)
        let served = Self.serve(&large, count: 20_000)
        print(
            "submitted \(Int(submitted))/s, served \(Int(served))/s (\(Int(smallServe))/s of 100)")
        print("memory \(Int(bytes)) bytes a job with 300 bytes of payload")
        #expect(large.queue.unfinished == 80_000)
        #expect(large.queue.line.count == 79_999)
        #expect(bytes < 2_048)
    }
}
