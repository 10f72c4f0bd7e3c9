// A broker's client side that answers by a script, on a thread of its own.

import Foundation
import Synchronization
import WireProtocol
import ZeroMQSockets

/// Answers each message with what the script returns for it.
final class FakeService: Sendable {
    /// The message, and how often it has come before.
    typealias Script = @Sendable (ClientMessage, _ repetitions: Int) -> [ServerMessage.Reply]

    /// What the thread shares with the test; the thread keeps it, not the service.
    private final class Shared: Sendable {
        let received = Mutex<[ClientMessage]>([])
        let endpoint = Mutex<Result<String, any Error>?>(nil)
        let isClosed = Atomic<Bool>(false)
        let hasEnded = DispatchSemaphore(value: 0)
    }

    private let shared = Shared()
    let endpoint: String

    /// - Parameter endpoint: to bind to, for a service that comes back
    init(endpoint: String = "tcp://127.0.0.1:*", script: @escaping Script) throws {
        let shared = shared
        let isBound = DispatchSemaphore(value: 0)
        Thread {
            do {
                try Self.serve(endpoint, script, shared, isBound)
            } catch {
                shared.endpoint.withLock { $0 = .failure(error) }
                isBound.signal()
            }
            shared.hasEnded.signal()
        }.start()
        isBound.wait()
        self.endpoint = try shared.endpoint.withLock { try $0?.get() ?? "" }
    }

    deinit {
        shared.isClosed.store(true, ordering: .relaxed)
        shared.hasEnded.wait()
    }

    var received: [ClientMessage] { shared.received.withLock { $0 } }

    private static func serve(
        _ endpoint: String, _ script: Script, _ shared: Shared, _ isBound: DispatchSemaphore
    ) throws {
        var options = SocketOptions()
        options.lingerMilliseconds = 0
        let router = try RouterSocket(in: try ZeroMQContext(), options: options)
        try router.socket.bind(to: endpoint)
        let actual = try router.socket.boundEndpoint()
        shared.endpoint.withLock { $0 = .success(actual) }
        isBound.signal()
        var poller = Poller()
        _ = poller.add(router.socket)
        while !shared.isClosed.load(ordering: .relaxed) {
            _ = try poller.wait(milliseconds: 10)
            while let message = try router.receive() {
                guard let body = message.body else { continue }
                let request = try ClientMessage(frame: body)
                let repetitions = shared.received.withLock { received in
                    defer { received.append(request) }
                    return received.count { $0 == request }
                }
                for reply in script(request, repetitions) {
                    let answer = ServerMessage(correlation: request.correlation, reply)
                    _ = try router.send(try answer.encoded(), to: message.route)
                }
            }
        }
    }
}

/// All replies to a job, by its number.
func wholeJob(_ number: UInt64, steps: UInt32 = 2) -> [ServerMessage.Reply] {
    var replies: [ServerMessage.Reply] = [.accepted(JobAccepted(jobID: number, state: .queued))]
    for step in 1...steps {
        replies.append(
            .progress(
                JobProgress(jobID: number, stage: .denoising, step: step, steps: steps)))
    }
    let image = GeneratedImage(seed: number, png: [9])
    return replies + [.completed(JobCompleted(jobID: number, images: [image]))]
}

func request(_ prompt: String = "a fox", id: String = "") -> GenerateRequest {
    GenerateRequest(requestID: id, request: GenerationRequest(text: .prompt(prompt)))
}
