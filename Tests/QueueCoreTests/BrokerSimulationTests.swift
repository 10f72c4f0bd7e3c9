// Many simulated services, each from one seed.

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

    @Test func everyAcceptedJobEndsOnceWhateverHappens() {
        let clock = ContinuousClock()
        let start = clock.now
        var simulated: Int64 = 0
        var totals: [OutcomeCode: Int] = [:]
        var recoveries = 0
        var actions = 0
        for seed in UInt64(1)...60 {
            let world = BrokerSimulation(seed: seed)
            let begin = world.now
            world.run(until: begin + world.stormHours * 3_600_000_000)
            world.heal(within: 48)
            #expect(world.observer.violations == [], "seed \(seed)")
            if !world.observer.violations.isEmpty { break }
            simulated += world.now - begin
            actions += world.actionCount
            recoveries += world.observer.recoveries
            totals.merge(world.observer.outcomes, uniquingKeysWith: +)
        }
        let seconds = start.duration(to: clock.now) / .seconds(1)
        let hours = Double(simulated) / 3.6e9
        print(
            "simulated \(Int(hours)) hours in \(seconds) s, \(actions) actions, "
                + "\(recoveries) broker crashes"
        )
        for code in OutcomeCode.allCases {
            print("  \(code.rawValue): \(totals[code] ?? 0)")
            #expect(totals[code] ?? 0 > 0, "the storm should bring every outcome")
        }
    }
}
