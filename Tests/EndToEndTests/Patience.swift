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

/// Ports that nobody listens on, outside the range from which the system takes those of outgoing
/// connections: a service that is started again finds its port free.
enum FreePort {
    static func next() throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: 12_000..<32_000)
            if isFree(port) { return port }
        }
        throw Impatience(description: "no free port")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
