// A seeded source of field values, with the values that break codecs among them.

@testable import WireProtocol

/// SplitMix64 (Steele, Lea and Flood, 2014), and values drawn from it.
struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    mutating func flag() -> Bool {
        next() & 1 == 0
    }

    mutating func maybe<Value>(_ make: (inout RandomSource) -> Value) -> Value? {
        flag() ? make(&self) : nil
    }

    mutating func list<Value>(_ make: (inout RandomSource) -> Value) -> [Value] {
        (0..<below(4)).map { _ in make(&self) }
    }

    mutating func number<Value: FixedWidthInteger>() -> Value {
        [0, 1, 127, .max, Value(truncatingIfNeeded: next())][below(5)]
    }

    mutating func real() -> Double {
        [0, -0.5, 7.5, .greatestFiniteMagnitude, .leastNonzeroMagnitude][below(5)]
    }

    mutating func text() -> String {
        ["", "a", "prompt with spaces", "山水画，一只猫", "e\u{301}🦊", String(repeating: "x", count: 99)][
            below(6)]
    }

    mutating func bytes() -> [UInt8] {
        (0..<below(32)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

protocol RandomCase: CaseIterable {}

extension RandomCase where AllCases.Index == Int {
    static func random(_ r: inout RandomSource) -> Self {
        allCases[r.below(allCases.count)]
    }
}

extension PromptText {
    static func random(_ r: inout RandomSource) -> PromptText {
        r.flag() ? .prompt(r.text()) : .template(.random(&r))
    }
}

extension PruningCriterion {
    static func random(_ r: inout RandomSource) -> PruningCriterion? {
        [nil, .thresholdNats(r.real()), .headShare(r.real())][r.below(3)]
    }
}

extension JobReference {
    static func random(_ r: inout RandomSource) -> JobReference {
        r.flag() ? .jobID(r.number()) : .requestID(r.text())
    }
}
