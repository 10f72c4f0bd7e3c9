// Many simulated services, each from one seed.

import Glibc
import Testing

@testable import QueueCore

struct BrokerSimulationTests {
    /// Seeds that once found a mistake, deliberate ones included.
    static let regressionSeeds: [UInt64] = [1, 3]

    /// Runs a storm of some hours, heals the world, and returns what went wrong.
    static func violations(seed: UInt64) -> [String] {
        let world = BrokerSimulation(seed: seed)
        world.run(until: world.now + world.stormHours * 3_600_000_000)
        world.heal(within: 48)
        return world.observer.violations
    }

    @Test(arguments: regressionSeeds)
    func oldMistakesStayFixed(seed: UInt64) {
        #expect(Self.violations(seed: seed) == [])
    }

    /// Simulated time of all worlds together.
    private static let wantedHours = 2_200.0

    /// Processor seconds of this process.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test func everyAcceptedJobEndsOnceWhateverHappens() {
        let start = Self.processorSeconds()
        var simulated: Int64 = 0
        var totals: [OutcomeCode: Int] = [:]
        var recoveries = 0
        var freshStarts = 0
        var actions = 0
        var seed: UInt64 = 0
        while Double(simulated) < Self.wantedHours * 3.6e9 {
            seed += 1
            let world = BrokerSimulation(seed: seed)
            let begin = world.now
            world.run(until: begin + world.stormHours * 3_600_000_000)
            world.heal(within: 48)
            #expect(world.observer.violations == [], "seed \(seed)")
            if !world.observer.violations.isEmpty { break }
            simulated += world.now - begin
            actions += world.actionCount
            recoveries += world.observer.recoveries
            freshStarts += world.observer.freshStarts
            totals.merge(world.observer.outcomes, uniquingKeysWith: +)
        }
        let hours = Double(simulated) / 3.6e9
        let seconds = Self.processorSeconds() - start
        print(
            "simulated \(Int(hours)) hours of \(seed) worlds in \(seconds) processor seconds, "
                + "\(actions) actions, \(recoveries) broker crashes, \(freshStarts) fresh starts")
        #expect(freshStarts > 100, "the storm should take away a kind of workers now and then")
        #expect(hours >= 2000 && recoveries > 1000, "a violation ends it early")
        for code in OutcomeCode.allCases {
            print("  \(code.rawValue): \(totals[code] ?? 0)")
            #expect(totals[code] ?? 0 > 0, "the storm should bring every outcome")
        }
    }
}
