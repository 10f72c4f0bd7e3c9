// A strict reader of Prometheus' text format: what it does not know is an error.

struct ParsedMetrics {
    struct Failure: Error {
        let line: String
        let what: String
    }

    /// Types by family.
    private(set) var families: [String: String] = [:]
    /// Values by `name{label=value,…}`.
    private(set) var samples: [String: Double] = [:]
    /// Series as they came.
    private(set) var order: [String] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Failure(line: "", what: "no newline at the end") }
        var helped = ""
        var current = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP "), words.count == 4 {
                helped = words[2]
            } else if line.hasPrefix("# TYPE "), words.count == 4 {
                guard words[2] == helped, families[helped] == nil,
                    ["counter", "gauge", "histogram"].contains(words[3])
                else { throw Failure(line: String(line), what: "TYPE without HELP or twice") }
                guard (words[3] == "counter") == helped.hasSuffix("_total") else {
                    throw Failure(line: String(line), what: "counters end in _total")
                }
                current = helped
                families[current] = words[3]
            } else {
                try add(String(line), family: current)
            }
        }
    }

    private mutating func add(_ line: String, family: String) throws {
        func fail(_ what: String) -> Failure { Failure(line: line, what: what) }
        guard let end = line.firstIndex(where: { $0 == "{" || $0 == " " }) else {
            throw fail("no value")
        }
        let name = String(line[..<end])
        let isNamed =
            name.first?.isNumber == false
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard isNamed else { throw fail("bad name") }
        var suffixes = [""]
        if families[family] == "histogram" { suffixes = ["_bucket", "_sum", "_count"] }
        guard suffixes.contains(where: { name == family + $0 }) else { throw fail("wrong family") }
        var rest = line[end...]
        var key = name
        if rest.first == "{" {
            let labels = try Self.labels(&rest, fail)
            key += "{\(labels.joined(separator: ","))}"
        }
        guard rest.first == " ", let value = Double(rest.dropFirst()) else {
            throw fail("bad value")
        }
        guard samples.updateValue(value, forKey: key) == nil else { throw fail("duplicate") }
        order.append(key)
    }

    private static func labels(_ rest: inout Substring, _ fail: (String) -> Failure) throws
        -> [String]
    {
        var labels: [String] = []
        while rest.first != "}" {
            rest.removeFirst()
            guard let equals = rest.firstIndex(of: "=") else { throw fail("no =") }
            let name = String(rest[..<equals])
            rest = rest[equals...].dropFirst()
            guard rest.popFirst() == "\"" else { throw fail("no quote") }
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                if character == "\\" {
                    switch rest.popFirst() {
                    case "n": value += "\n"
                    case "\\": value += "\\"
                    case "\"": value += "\""
                    default: throw fail("bad escape")
                    }
                } else {
                    value.append(character)
                }
            }
            labels.append("\(name)=\(value)")
            guard rest.first == "," || rest.first == "}" else { throw fail("open label") }
        }
        rest.removeFirst()
        return labels
    }
}
