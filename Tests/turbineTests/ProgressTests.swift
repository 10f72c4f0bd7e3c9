// What a command says about how far it is.
import Foundation
import Testing

@testable import turbine

@Suite struct ProgressTests {
    @Test func `times are short where they are short`() {
        #expect(ProgressBar.figures(done: 2, total: 8, elapsed: 1) == "2/8  1.0 s, 3.0 s left")
        #expect(ProgressBar.figures(done: 0, total: 8, elapsed: 1) == "0/8  1.0 s, 0.0 s left")
        #expect(
            ProgressBar.figures(done: 100, total: 5300, elapsed: 99.96)
                == "100/5300  1:40, 1:26:38 left")
        #expect(ProgressBar.figures(done: 9, total: 9, elapsed: 7384) == "9/9  2:03:04, 0.0 s left")
    }

    @Test func `without a terminal there is a line a period`() {
        var lines: [String] = []
        var each = LongProgress(isTerminal: false, period: .zero) { lines.append($0) }
        for step in 1...3 { each.show(done: step, total: 3, label: "loss 0.5  step") }
        #expect(lines.count == 3)
        #expect(lines.last?.hasPrefix("turbine: loss 0.5  step 3/3  0.") == true)
        var seldom = LongProgress(isTerminal: false, period: .seconds(3600)) { lines.append($0) }
        for step in 1...3 { seldom.show(done: step, total: 3, label: "image") }
        #expect(lines.count == 3)
    }
}
