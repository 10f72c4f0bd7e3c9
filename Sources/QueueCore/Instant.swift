// Time as the queue knows it: a number it is given, never one it reads.
//
// All arithmetic saturates, because deadlines come from peers and must never trap.

/// A moment, in microseconds since an epoch that the I/O loop chooses.
///
/// The epoch must outlive a restart of the broker (the Unix epoch does), since deadlines are
/// durable.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    /// Microseconds since the epoch.
    public var microseconds: Int64

    /// Makes a moment from microseconds since the epoch.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The latest moment there is; stands for "never".
    public static let distantFuture = Instant(microseconds: .max)

    public static func < (left: Instant, right: Instant) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The moment `span` after `start`, saturating.
    public static func + (start: Instant, span: TimeSpan) -> Instant {
        let (sum, overflow) = start.microseconds.addingReportingOverflow(span.microseconds)
        guard overflow else { return Instant(microseconds: sum) }
        return Instant(microseconds: span.microseconds > 0 ? .max : .min)
    }

    /// The span from `start` to `end`, saturating.
    public static func - (end: Instant, start: Instant) -> TimeSpan {
        let (span, overflow) = end.microseconds.subtractingReportingOverflow(start.microseconds)
        guard overflow else { return TimeSpan(microseconds: span) }
        return TimeSpan(microseconds: end.microseconds > start.microseconds ? .max : .min)
    }
}

/// A length of time in microseconds.
public struct TimeSpan: Hashable, Comparable, Sendable, Codable {
    /// The length in microseconds.
    public var microseconds: Int64

    /// Makes a span of a number of microseconds.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// No time at all.
    public static let zero = TimeSpan(microseconds: 0)

    /// A span of a number of milliseconds, saturating.
    public static func milliseconds(_ count: Int64) -> TimeSpan {
        TimeSpan(microseconds: 1_000) * count
    }

    /// A span of a number of seconds, saturating.
    public static func seconds(_ count: Int64) -> TimeSpan {
        TimeSpan(microseconds: 1_000_000) * count
    }

    /// A span from a computed number of microseconds, clamped to what fits; not-a-number is zero.
    public init(clamping microseconds: Double) {
        if microseconds.isNaN {
            self.microseconds = 0
        } else {
            self.microseconds = Int64(min(max(microseconds, -9e18), 9e18))
        }
    }

    /// The length in seconds.
    public var seconds: Double { Double(microseconds) / 1e6 }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool {
        left.microseconds < right.microseconds
    }

    public static func + (left: TimeSpan, right: TimeSpan) -> TimeSpan {
        let (sum, overflow) = left.microseconds.addingReportingOverflow(right.microseconds)
        return TimeSpan(microseconds: overflow ? (right.microseconds > 0 ? .max : .min) : sum)
    }

    public static func * (span: TimeSpan, factor: Int64) -> TimeSpan {
        let (product, overflow) = span.microseconds.multipliedReportingOverflow(by: factor)
        let isNegative = (span.microseconds < 0) != (factor < 0)
        return TimeSpan(microseconds: overflow ? (isNegative ? .min : .max) : product)
    }
}
