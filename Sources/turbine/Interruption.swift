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
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.requested.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}
