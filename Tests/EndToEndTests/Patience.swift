// Waiting for what other processes do.
import Foundation

/// What did not happen in time, with what is known about why.
struct Impatience: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until the answer is not nil.
///
/// The time is generous on purpose: it is no goal, only the end of hope on a shared machine.
@discardableResult
func waitFor<Value>(
    _ what: String, seconds: Double = 90, context: () -> String = { "" },
    _ answer: () throws -> Value?
) throws -> Value {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if let value = try answer() { return value }
        usleep(20_000)
    }
    throw Impatience(description: "\(what): not within \(seconds) s\n\(context())")
}

/// Waits until a condition holds.
func waitUntil(
    _ what: String, seconds: Double = 90, context: () -> String = { "" },
    _ condition: () throws -> Bool
) throws {
    try waitFor(what, seconds: seconds, context: context) { try condition() ? true : nil }
}
