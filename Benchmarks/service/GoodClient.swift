// A client that behaves, in a thread of its own: it submits a job now and then, and sees how long
// the broker takes to accept it.

import Foundation
import Synchronization
import WireProtocol

final class GoodClient: Sendable {
    private struct State {
        var seconds: [Double] = []
        var isMeasuring = false
        var failure: String?
    }

    private let state = Mutex(State())

    /// Connects and begins.
    init(_ endpoint: String) throws {
        let thread = Thread { [weak self] in
            do {
                let client = try BenchmarkClient(endpoint)
                var number = 1_000_000
                while let self {
                    let seconds = try Self.submit(number, client)
                    self.state.withLock { if $0.isMeasuring { $0.seconds.append(seconds) } }
                    number += 1
                    usleep(5000)
                }
            } catch {
                self?.state.withLock { $0.failure = "\(error)" }
            }
        }
        thread.start()
    }

    /// Seconds that each submission took while `body` ran.
    func measure(_ body: () throws -> Void) throws -> [Double] {
        state.withLock {
            $0.seconds = []
            $0.isMeasuring = true
        }
        try body()
        let (seconds, failure) = state.withLock { state in
            state.isMeasuring = false
            return (state.seconds, state.failure)
        }
        if let failure { throw BenchmarkFailure("the good client: \(failure)") }
        return seconds
    }

    /// Submits a job, and takes it back once it is accepted.
    private static func submit(_ number: Int, _ client: BenchmarkClient) throws -> Double {
        let watch = Stopwatch()
        guard case .accepted(let accepted) = try client.ask(.generate(.benchmark(number))) else {
            throw BenchmarkFailure("a job was not accepted")
        }
        let seconds = watch.seconds
        guard case .cancelled = try client.ask(.cancel(CancelRequest(job: .jobID(accepted.jobID))))
        else { throw BenchmarkFailure("a job was not cancelled") }
        return seconds
    }
}
