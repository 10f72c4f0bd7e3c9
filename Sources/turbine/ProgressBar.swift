// How far a command is: a bar on a terminal, lines in a log.
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
        let filled = Int(Double(done) / Double(max(total, 1)) * Double(Self.width))
        let bar = String(repeating: "█", count: filled).padding(
            toLength: Self.width, withPad: "░", startingAt: 0)
        let line = Self.figures(
            done: done, total: total, elapsed: (ContinuousClock.now - start).seconds)
        FileHandle.standardError.write(Data("\r\u{1b}[K\(label) \(bar) \(line)".utf8))
    }

    func clear() {
        guard isVisible else { return }
        FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
    }

    /// `3/8  1.5 s, 2.5 s left`: what is left at the pace so far.
    static func figures(done: Int, total: Int, elapsed: Double) -> String {
        let remaining = done == 0 ? 0 : elapsed * Double(total - done) / Double(done)
        return "\(done)/\(total)  \(text(elapsed)), \(text(remaining)) left"
    }

    /// Seconds as people read them: `4.2 s`, `3:05`, `1:23:45`.
    private static func text(_ seconds: Double) -> String {
        guard seconds >= 99.95 else { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.rounded())
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, whole % 60)
            : String(format: "%d:%02d", minutes, whole % 60)
    }
}

/// The progress of work that takes minutes or hours: a bar on a terminal, and elsewhere a line on
/// standard error from time to time.
struct LongProgress {
    private let bar: ProgressBar?
    private let period: Duration
    private let write: (String) -> Void
    private let start = ContinuousClock.now
    private var lastLine = ContinuousClock.now

    /// - Parameter period: time between lines where there is no bar
    init(
        isTerminal: Bool = StandardError.isTerminal, period: Duration = .seconds(60),
        write: @escaping (String) -> Void = StandardError.write
    ) {
        bar = isTerminal ? ProgressBar(isVisible: true) : nil
        self.period = period
        self.write = write
    }

    mutating func show(done: Int, total: Int, label: String) {
        let now = ContinuousClock.now
        if let bar {
            bar.show(done: done, total: total, label: label)
        } else if now - lastLine >= period {
            lastLine = now
            let figures = ProgressBar.figures(
                done: done, total: total, elapsed: (now - start).seconds)
            write("turbine: \(label) \(figures)")
        }
    }

    func clear() { bar?.clear() }
}
