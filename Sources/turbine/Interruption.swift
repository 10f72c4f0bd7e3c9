// Ctrl-C and SIGTERM stop a generation cleanly.
import Foundation
import Synchronization

enum Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Whether the program was asked to stop.
    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// From now on the first SIGINT or SIGTERM sets the flag, and a second one ends the program.
    static func install() {
        _ = isRequested
        defer { unblock() }
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.requested.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// Lets SIGINT and SIGTERM through: programs that start this one from a thread of a pool pass
    /// them on blocked.
    static func unblock() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
