// The progress bar of `turbine generate`: on a terminal only.
import Foundation

struct ProgressBar {
    private let start = ContinuousClock.now
    private let isVisible: Bool
    private static let width = 30

    init(isVisible: Bool) {
        self.isVisible = isVisible
    }

    /// Shows `done` of `total`, with the time gone and the time still needed.
    func show(done: Int, total: Int, label: String) {
        guard isVisible else { return }
        let share = Double(done) / Double(max(total, 1))
        let filled = Int(share * Double(Self.width))
        let bar = String(repeating: "█", count: filled).padding(
            toLength: Self.width, withPad: "░", startingAt: 0)
        let elapsed = (ContinuousClock.now - start).seconds
        let remaining = done == 0 ? 0 : elapsed / share - elapsed
        let line = String(format: "%@ %d/%d  %.1f s, %.1f s left", bar, done, total, elapsed, remaining)
        FileHandle.standardError.write(Data("\r\u{1b}[K\(label) \(line)".utf8))
    }

    func clear() {
        guard isVisible else { return }
        FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
    }
}
