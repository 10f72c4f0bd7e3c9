// Tables in Markdown, and what stands in them.

/// Prints a table.
func printTable(_ header: [String], _ rows: [[String]]) {
    for cells in [header, header.map { _ in "---" }] + rows {
        print("| " + cells.joined(separator: " | ") + " |")
    }
}

/// A number with so many decimals.
func format(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    let rounded = (value * scale).rounded()
    guard digits > 0, rounded.magnitude < 1e15 else { return "\(Int64(rounded))" }
    let whole = Int64(rounded.magnitude)
    let fraction = String(whole % Int64(scale))
    let padding = String(repeating: "0", count: digits - fraction.count)
    return (rounded < 0 ? "-" : "") + "\(whole / Int64(scale)).\(padding)\(fraction)"
}

/// Milliseconds, from seconds.
func milliseconds(_ seconds: Double) -> String { format(seconds * 1e3, 2) }

/// Mebibytes, from bytes.
func mebibytes(_ bytes: Double) -> String { format(bytes / 1_048_576, 1) }

extension [Double] {
    /// The value that a share of the others lies below; 0.5 is the median.
    func quantile(_ share: Double) -> Double {
        guard !isEmpty else { return .nan }
        return sorted()[Swift.min(count - 1, Int(Double(count) * share))]
    }

    var median: Double { quantile(0.5) }
    var mean: Double { reduce(0, +) / Double(count) }
}

/// Seconds of a monotonic clock since this value was made.
struct Stopwatch {
    private let start = ContinuousClock.now

    var seconds: Double { start.duration(to: .now) / .seconds(1) }
}

/// FNV-1a with 64 bits: a short name for a result, the same for the same result.
struct Digest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var count = 0

    /// Takes in one part of the result.
    mutating func add(_ text: String) {
        for byte in text.utf8 + [0] { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        count += 1
    }

    mutating func add(_ number: UInt64) { add(String(number)) }

    /// The last line of a benchmark.
    func printResult(_ what: String) {
        let digits = String(value, radix: 16)
        let padding = String(repeating: "0", count: 16 - digits.count)
        print("result \(count) \(what) \(padding)\(digits)")
    }
}

/// A sequence of numbers that is the same at each run (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
