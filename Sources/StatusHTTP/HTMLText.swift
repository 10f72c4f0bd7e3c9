// Text to HTML: every value that comes from people goes through `escape`.

/// Helpers for writing HTML.
enum HTMLText {
    /// Text that means itself, in an element or in a quoted attribute.
    static func escape(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            // Control characters, and those that turn the direction of the text around them.
            case "\0"..<" ", "\u{7f}"..<"\u{a0}", "\u{202a}"..<"\u{202f}", "\u{2066}"..<"\u{206a}":
                escaped += "\u{fffd}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// At most `limit` characters of a text, escaped.
    static func escape(_ text: String, limit: Int) -> String {
        let cut = text.prefix(limit)
        return escape(String(cut)) + (cut.endIndex < text.endIndex ? "…" : "")
    }

    /// A span for people: `820 ms`, `4.2 s`, `12 min`, `3.5 h`, `2.1 d`.
    static func span(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.0995: "\(decimal(seconds * 1000)) ms"
        case ..<90: "\(decimal(seconds)) s"
        case ..<5400: "\(decimal(seconds / 60)) min"
        case ..<172_800: "\(decimal(seconds / 3600)) h"
        default: "\(decimal(seconds / 86_400)) d"
        }
    }

    /// A size for people, in powers of 1024.
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1000 { return "\(decimal(value)) \(unit)" }
            value /= 1024
        }
        return "\(decimal(value)) TiB"
    }

    /// A number with at most one digit after the point, none from 10 on.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        let tenths = (value * 10).rounded() / 10
        if abs(tenths) >= 10 || tenths == tenths.rounded() { return String(Int64(value.rounded())) }
        return "\(tenths)"
    }

    /// A whole number with thin spaces between the thousands.
    static func grouped(_ number: Int) -> String {
        let digits = String(number)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, digit != "-", (digits.count - index) % 3 == 0 { text += "\u{202f}" }
            text.append(digit)
        }
        return text
    }
}
