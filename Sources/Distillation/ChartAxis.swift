// An axis: values ↔ shares of its length, and the round numbers to mark.
import Foundation

struct ChartAxis {
    let lower: Double
    let upper: Double
    let scale: LossCurve.Scale

    /// An axis that holds `values`, with a little room; of a made-up range if there are none.
    init(holding values: ClosedRange<Double>?, scale: LossCurve.Scale, room: Double) {
        self.scale = scale
        let fallback = scale == .linear ? 0.0...1.0 : 0.1...1.0
        var range = values ?? fallback
        if range.lowerBound == range.upperBound {
            let value = range.lowerBound
            range =
                scale == .linear
                ? (value - max(abs(value), 1e-3) / 2)...(value + max(abs(value), 1e-3) / 2)
                : (value / 2)...(value * 2)
        }
        switch scale {
        case .linear:
            let span = range.upperBound - range.lowerBound
            // A range that starts near zero starts at zero.
            let isNearZero = range.lowerBound >= 0 && range.lowerBound < span / 4
            lower = isNearZero ? 0 : range.lowerBound - room * span
            upper = range.upperBound + room * span
        case .logarithmic:
            let factor = exp((log(range.upperBound) - log(range.lowerBound)) * room)
            lower = max(range.lowerBound / factor, .leastNormalMagnitude)
            upper = range.upperBound * factor
        }
    }

    /// Where a value stands: 0 at the lower end, 1 at the upper.
    func share(_ value: Double) -> Double {
        switch scale {
        case .linear: (value - lower) / (upper - lower)
        case .logarithmic: (log(value) - log(lower)) / (log(upper) - log(lower))
        }
    }

    /// Round numbers within the axis, about `count`.
    func marks(count: Int) -> [Double] {
        if scale == .logarithmic, upper / lower >= 8 { return decades(count) }
        let rough = (upper - lower) / Double(max(count, 1))
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].first { $0 * power >= rough * 0.999 }.map { $0 * power } ?? rough
        let first = Int((lower / step).rounded(.up))
        let last = Int((upper / step + 1e-9).rounded(.down))
        return first <= last ? (first...last).map { Double($0) * step } : []
    }

    private func decades(_ count: Int) -> [Double] {
        let exponents = Int(floor(log10(lower)))...Int(ceil(log10(upper)))
        let all = [[1, 2, 5], [1, 3], [1]].map { digits in
            exponents.flatMap { exponent in digits.map { Double($0) * pow(10, Double(exponent)) } }
                .filter { $0 >= lower && $0 <= upper }
        }
        let fitting = all.first { $0.count <= 2 * count } ?? all[2]
        let step = max(1, fitting.count / max(2 * count, 1))
        return fitting.enumerated().filter { $0.offset % step == 0 }.map(\.element)
    }

    /// A number as a mark or legend shows it: `0.25`, `12k`, `1.5M`, `2e-05`.
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case 1e6..<1e9: String(format: "%.4gM", value / 1e6)
        case 1e3..<1e6: String(format: "%.4gk", value / 1e3)
        default: String(format: "%.4g", value)
        }
    }
}
