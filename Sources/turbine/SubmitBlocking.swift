// Commands are synchronous; the client library is not.
import Dispatch
import Foundation
import Synchronization
import TurbineClient
import WireProtocol

/// Runs an asynchronous piece of a command to its end.
func waitFor<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
) throws -> Value {
    let box = Box<Result<Value, any Error>>()
    let isDone = DispatchSemaphore(value: 0)
    Task {
        do {
            box.value.withLock { $0 = nil }
            let value = try await work()
            box.value.withLock { $0 = .success(value) }
        } catch {
            box.value.withLock { $0 = .failure(error) }
        }
        isDone.signal()
    }
    isDone.wait()
    guard let result = box.value.withLock({ $0 }) else {
        throw ClientError(.closed, "the command ended without a result")
    }
    return try result.get()
}

private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

extension JobReference {
    /// A number is the broker's job id; anything else is a request id.
    init(argument: String) {
        self = UInt64(argument).map { .jobID($0) } ?? .requestID(argument)
    }
}
