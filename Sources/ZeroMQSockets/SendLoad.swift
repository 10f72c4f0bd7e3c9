// Large frames whose memory is accounted for until the library has sent them: the library's
// high-water mark counts messages, and a thousand results would be gigabytes.

import CZeroMQ
import Glibc
import Synchronization

/// Bytes that the library holds for one peer.
public final class SendLoad: Sendable {
    private let held = Atomic<Int>(0)

    public init() {}

    /// Bytes given to the library and not sent yet.
    public var bytes: Int { held.load(ordering: .relaxed) }

    fileprivate func add(_ count: Int) { held.add(count, ordering: .relaxed) }
    fileprivate func remove(_ count: Int) { held.subtract(count, ordering: .relaxed) }
}

/// What the library hands back when it is done with a frame, in a thread of its own.
private final class LoadedFrame: Sendable {
    let load: SendLoad
    let count: Int

    init(_ load: SendLoad, _ count: Int) {
        self.load = load
        self.count = count
        load.add(count)
    }

    deinit { load.remove(count) }
}

extension ZeroMQSocket {
    /// Sends an envelope and a large body as one message, or nothing.
    func send(
        _ envelope: [[UInt8]], body: [UInt8], load: SendLoad
    ) throws(ZeroMQError) -> SendOutcome {
        for (index, frame) in envelope.enumerated() {
            while zmq_send(handle, frame, frame.count, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN where index == 0: return .full
                case EHOSTUNREACH: return .unroutable
                default: throw .last("send")
                }
            }
        }
        var message = try Self.message(body, load)
        while zmq_msg_send(&message, handle, ZMQ_DONTWAIT) < 0 {
            guard zmq_errno() == EINTR else {
                let error = ZeroMQError.last("send")
                zmq_msg_close(&message)
                throw error
            }
        }
        return .sent
    }

    private static func message(
        _ body: [UInt8], _ load: SendLoad
    ) throws(ZeroMQError) -> zmq_msg_t {
        guard let memory = malloc(max(body.count, 1)) else {
            throw ZeroMQError(
                .exhausted, "no memory for \(body.count) bytes", location: "send",
                remedy: "send less at a time")
        }
        body.withUnsafeBytes { source in
            if let start = source.baseAddress { memcpy(memory, start, source.count) }
        }
        let frame = Unmanaged.passRetained(LoadedFrame(load, body.count))
        var message = zmq_msg_t()
        let code = zmq_msg_init_data(
            &message, memory, body.count,
            { memory, hint in
                free(memory)
                if let hint { Unmanaged<LoadedFrame>.fromOpaque(hint).release() }
            }, frame.toOpaque())
        guard code == 0 else {
            free(memory)
            frame.release()
            throw .last("message")
        }
        return message
    }
}
