// The child's half of `--die-with-parent`: ends this process when the supervisor is gone.
//
// Linux's parent-death signal follows the thread that started the child, not its process, and
// is not part of what Swift sees of the C library; an end of file on a pipe has neither flaw.
import Foundation

enum SupervisorLifeline {
    /// Seconds from the supervisor's end to a hard stop.
    static let graceSeconds: UInt32 = 10

    /// Watches standard input from a thread of its own: at its end this process gets a SIGTERM,
    /// and if that does not end it in time, a SIGKILL.
    static func watch() {
        watch(descriptor: STDIN_FILENO) {
            kill(getpid(), SIGTERM)
            sleep(graceSeconds)
            kill(getpid(), SIGKILL)
        }
    }

    /// Calls `action` on a thread of its own at the end of file of `descriptor`.
    static func watch(descriptor: Int32, action: @escaping @Sendable () -> Void) {
        let thread = Thread {
            var byte: UInt8 = 0
            while true {
                let count = read(descriptor, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            action()
        }
        thread.name = "lifeline"
        thread.stackSize = 256 * 1024
        thread.start()
    }
}
