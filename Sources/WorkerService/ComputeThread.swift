// The compute thread: makes the engine, warms it up, and does one order after the other.

import Foundation
import WireProtocol

/// Runs an engine on a thread of its own.
enum ComputeThread {
    /// Engines recurse little, but templates and JSON do.
    private static let stackBytes = 8 << 20

    /// How much nicer than the I/O thread computing is. Threads that the engine starts inherit it,
    /// so that a pool as wide as the machine still lets heartbeats through at once.
    private static let niceness: Int32 = 5

    static func start(
        _ mailbox: ComputeMailbox,
        makeGenerator: @escaping @Sendable () throws -> any ImageGenerating
    ) {
        let thread = Thread { run(mailbox, makeGenerator) }
        thread.name = "compute"
        thread.stackSize = stackBytes
        thread.start()
    }

    private static func run(
        _ mailbox: ComputeMailbox, _ makeGenerator: () throws -> any ImageGenerating
    ) {
        yieldToOthers()
        guard let generator = prepare(mailbox, makeGenerator) else { return }
        while let order = mailbox.waitForOrder() {
            mailbox.report(outcome(of: order, generator, mailbox))
        }
    }

    /// On Linux niceness belongs to a thread; 0 names the calling one.
    private static func yieldToOthers() {
        let current = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        _ = setpriority(
            __priority_which_t(PRIO_PROCESS.rawValue), 0, min(current + niceness, 19))
    }

    private static func prepare(
        _ mailbox: ComputeMailbox, _ makeGenerator: () throws -> any ImageGenerating
    ) -> (any ImageGenerating)? {
        do {
            let generator = try makeGenerator()
            mailbox.report(.loaded(generator.capabilities))
            let start = ContinuousClock.now
            let secondsAStep = try generator.warmUp()
            let seconds = start.duration(to: .now) / .seconds(1)
            mailbox.report(.warmedUp(seconds: seconds, secondsAStep: secondsAStep))
            return generator
        } catch {
            mailbox.report(
                .unusable(
                    error as? WorkerError
                        ?? WorkerError(.notReady, "\(error)", remedy: "check the model")))
            return nil
        }
    }

    private static func outcome(
        of order: WorkOrder, _ generator: any ImageGenerating, _ mailbox: ComputeMailbox
    ) -> ComputeEvent {
        let lease = order.lease
        let control = WorkControl(
            isCancelled: { mailbox.isCancelled(lease) },
            onStage: { mailbox.report(.stage(lease, $0, imageIndex: $1)) },
            onStep: { mailbox.report(.step(lease, $0)) },
            onImage: { mailbox.report(.image(lease, $0, isLast: $1)) })
        guard !mailbox.isCancelled(lease) else { return .stopped(lease) }
        do {
            let summary = try generator.generate(order, control: control)
            return .finished(lease, summary)
        } catch {
            if mailbox.isCancelled(lease) { return .stopped(lease) }
            return .failed(lease, WorkerError.serviceError(of: error))
        }
    }
}
