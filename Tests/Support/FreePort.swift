// Ports for services that tests start.
import Foundation

/// Ports that nobody listens on, outside the range from which the system takes those of outgoing
/// connections: a service that is started again finds its port free.
public enum FreePort {
    public struct None: Error, CustomStringConvertible {
        public let description = "no port from 12000 to 31999 is free"
    }

    /// One of them.
    public static func next() throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: 12_000..<32_000)
            if isFree(port) { return port }
        }
        throw None()
    }

    /// Whether nobody listens there.
    public static func isFree(_ port: Int) -> Bool {
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
