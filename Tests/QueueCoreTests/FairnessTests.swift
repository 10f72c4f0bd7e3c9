// Who goes next: priorities, fair turns, ageing; and the ordered set beneath.

import Testing

@testable import QueueCore

struct FairnessTests {
    typealias Harness = QueueHarness

    /// Completes job after job on one worker and returns the order of dispatch.
    static func drain(_ harness: inout Harness, count: Int, pause: TimeSpan = .zero) -> [UInt64] {
        var order: [UInt64] = []
        harness.register(1)
        while let lease = harness.leases.first, order.count < count {
            order.append(lease.id.job.number)
            harness.now = harness.now + pause
            harness.complete(1, lease.id)
        }
        return order
    }

    @Test func higherPrioritiesGoFirst() {
        var harness = Harness()
        for (index, priority) in [Priority.low, .normal, .high, .low, .high].enumerated() {
            harness.submit(Harness.job("\(index)", priority: priority))
        }
        #expect(Self.drain(&harness, count: 5) == [3, 5, 2, 1, 4])
    }

    @Test func clientsTakeTurnsByCost() {
        var harness = Harness()
        for index in 0..<20 { harness.submit(Harness.job("\(index)"), by: Harness.client("ann")) }
        for index in 0..<5 { harness.submit(Harness.job("\(index)"), by: Harness.client("bob")) }
        for index in 0..<5 {
            harness.submit(Harness.job("\(index)", steps: 16), by: Harness.client("cid"))
        }
        let first = Self.drain(&harness, count: 9)
        #expect(first.filter { $0 <= 20 }.count == 4)
        #expect(first.filter { (21...25).contains($0) }.count == 4)
        #expect(first.filter { $0 > 25 }.count == 1, "four times the cost, a quarter of the turns")
    }

    @Test func cancelledJobsCostNoTurn() {
        var harness = Harness()
        for index in 0..<10 { harness.submit(Harness.job("\(index)"), by: Harness.client("ann")) }
        for index in 0..<10 {
            let request = JobReference.request(RequestID(key: "\(index)"))
            harness.apply(.cancelRequested(request, by: Harness.client("ann")))
        }
        for index in 0..<3 { harness.submit(Harness.job("\(index)"), by: Harness.client("bob")) }
        harness.submit(Harness.job("x"), by: Harness.client("ann"))
        #expect(Self.drain(&harness, count: 2).contains(14))
    }

    @Test func nothingStarves() {
        var harness = Harness { $0.overdueAfter = [.seconds(10), .seconds(10), .seconds(10)] }
        harness.submit(Harness.job("old", priority: .low))
        harness.now = harness.now + .seconds(11)
        for index in 0..<30 { harness.submit(Harness.job("\(index)", priority: .high)) }
        let order = Self.drain(&harness, count: 10)
        #expect(order.firstIndex(of: 1) == harness.queue.limits.passesBeforeOverdue)
    }

    @Test func placeAndTimesFollowTheLine() {
        var harness = Harness()
        for index in 0..<5 { harness.submit(Harness.job("\(index)")) }
        harness.submit(Harness.job("now", priority: .high))
        let places = (1...6).map { harness.queue.report(on: JobID(number: $0))?.estimate?.place }
        #expect(places == [1, 2, 3, 4, 5, 0])
    }

    @Test func rankedSetAgreesWithASortedArray() {
        var random = SeededGenerator(state: 5)
        var set = RankedSet()
        var model: [RankedKey: Int64] = [:]
        for round in 0..<4_000 {
            let key = RankedKey(Int64(random.number(0...60)), UInt64(random.number(0...9)))
            if model[key] == nil {
                let weight = Int64(random.number(0...100))
                set.insert(key, weight: weight)
                model[key] = weight
            } else if random.chance(0.6) {
                let wasThere = set.remove(key)
                #expect(wasThere)
                model[key] = nil
            }
            guard round % 50 == 0 else { continue }
            let keys = model.keys.sorted()
            let smaller = keys.filter { $0 < key }
            #expect(set.count == keys.count)
            #expect(set.first == keys.first)
            #expect(set.rank(of: key).count == smaller.count)
            #expect(set.rank(of: key).weight == smaller.reduce(0) { $0 + (model[$1] ?? 0) })
            #expect(set.next(after: key) == keys.first { $0 > key })
            #expect(set.key(at: keys.count / 2) == (keys.isEmpty ? nil : keys[keys.count / 2]))
        }
    }
}
