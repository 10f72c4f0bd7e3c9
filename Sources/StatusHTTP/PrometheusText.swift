// Prometheus' text format, version 0.0.4.
//
// Method: https://prometheus.io/docs/instrumenting/exposition_formats/

/// Collects families of metrics; each must be begun once and its series added at once.
struct PrometheusText {
    /// The kinds of metrics.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// A label's name and value.
    typealias Label = (name: String, value: String)

    private(set) var text = ""

    /// Begins a family.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        let escaped = Self.escape(help, quotes: false)
        text += "# HELP \(name) \(escaped)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Adds a series.
    mutating func sample(_ name: String, _ labels: [Label] = [], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escape($0.value, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(Self.number(value))\n"
    }

    /// A family of one series without labels.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, value: value)
    }

    /// A whole histogram; `counts` has one more element than `bounds` and is not cumulative.
    mutating func histogram(
        _ name: String, _ help: String, bounds: [Double], counts: [UInt64], sum: Double
    ) {
        family(name, .histogram, help)
        var total: UInt64 = 0
        for (bound, count) in zip(bounds, counts) {
            total += count
            sample(name + "_bucket", [("le", Self.number(bound))], Double(total))
        }
        total += counts.last ?? 0
        sample(name + "_bucket", [("le", "+Inf")], Double(total))
        sample(name + "_sum", value: sum)
        sample(name + "_count", value: Double(total))
    }

    private mutating func sample(_ name: String, value: Double) { sample(name, [], value) }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
