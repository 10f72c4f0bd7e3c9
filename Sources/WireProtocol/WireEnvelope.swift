// One frame, one message: the four envelopes become frames and come from frames here.

import CProtobufC
import CTurbineProto

/// An envelope: the type of message that fills a whole frame.
public protocol WireEnvelope: Sendable, Equatable {
    /// The bounds of its frames.
    static var frameLimits: FrameLimits { get }

    /// Decodes a frame, which may hold anything: every fault is thrown.
    init(frame: UnsafeRawBufferPointer) throws(WireError)

    /// The frame. Equal values give equal bytes.
    func encoded() throws(WireError) -> [UInt8]
}

extension WireEnvelope {
    /// Decodes a frame, which may hold anything: every fault is thrown.
    public init(frame: [UInt8]) throws(WireError) {
        self = try frame.withUnsafeBufferPointer { (bytes) throws(WireError) -> Self in
            try Self(frame: UnsafeRawBufferPointer(bytes))
        }
    }
}

extension WireRecord {
    /// protoc-c's description of the record; it lives as long as the process.
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
        let record = UnsafeMutablePointer<Record>.allocate(capacity: 1)
        defer { record.deallocate() }
        prepare(record)
        return UnsafeRawPointer(record).assumingMemoryBound(to: ProtobufCMessage.self)
            .pointee.descriptor
    }

    /// Checks, unpacks and copies a frame; what protoc-c allocated is freed on every path.
    init(checking frame: UnsafeRawBufferPointer, limits: FrameLimits) throws(WireError) {
        let descriptor = Self.descriptor
        try FrameScanner.check(frame, descriptor: descriptor, limits: limits)
        let unpacked = protobuf_c_message_unpack(
            descriptor, nil, frame.count, frame.bindMemory(to: UInt8.self).baseAddress)
        guard let unpacked else {
            throw WireError(
                .malformed, "is no message of this kind", field: "",
                remedy: "send one message of Proto/ in the frame")
        }
        defer { protobuf_c_message_free_unpacked(unpacked, nil) }
        try self.init(
            reading: UnsafeRawPointer(unpacked).assumingMemoryBound(to: Record.self))
    }

    /// Packs the value into a frame.
    func packed(limits: FrameLimits) throws(WireError) -> [UInt8] {
        let arena = WireArena()
        let record = try arena.record(self, "")
        let message = UnsafeRawPointer(record).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = protobuf_c_message_get_packed_size(message)
        guard size <= limits.bytes else {
            throw WireError(
                .frameTooLarge, "would have \(size) bytes", field: "",
                remedy: "keep it within \(limits.bytes)")
        }
        let frame = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = protobuf_c_message_pack(message, buffer.baseAddress)
        }
        withExtendedLifetime(arena) {}
        return frame
    }

    /// Throws unless the sender speaks this version.
    static func checkVersion(_ version: UInt32) throws(WireError) {
        guard version == turbineProtocolVersion else {
            throw WireError(
                .unsupportedVersion, "is \(version)", field: "protocol_version",
                remedy: "speak version \(turbineProtocolVersion)")
        }
    }
}
