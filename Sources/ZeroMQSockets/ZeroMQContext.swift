// The context: the library's I/O threads, shared by all sockets of a process.

import CZeroMQ

/// Owns a libzmq context. Sockets keep it alive; it ends when the last of them has closed.
///
/// A context is the one libzmq object that any thread may use, so this class is Sendable: create
/// sockets from it in the thread that will use them. The handle is kept as a bit pattern, which
/// carries no claim about what it points to.
public final class ZeroMQContext: Sendable {
    private let bits: UInt

    var handle: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: bits) }

    /// - Parameters:
    ///   - ioThreads: Threads that move bytes; one serves about a gigabyte a second.
    ///   - maximumSockets: Sockets that may be open at a time.
    public init(ioThreads: Int32 = 1, maximumSockets: Int32 = 1023) throws(ZeroMQError) {
        guard let handle = zmq_ctx_new() else { throw .last("context") }
        bits = UInt(bitPattern: handle)
        guard zmq_ctx_set(handle, ZMQ_IO_THREADS, ioThreads) == 0,
            zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, maximumSockets) == 0
        else {
            throw .last("context options")
        }
    }

    deinit {
        // Interrupted by a signal, the call is to be repeated (zmq_ctx_term(3)).
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }

    /// Whether the library can encrypt.
    public static var hasCurve: Bool { zmq_has("curve") == 1 }
}
