// How a Swift value becomes a protoc-c record: the protocol that all messages conform to, and the
// memory that the records live in until they are packed.

import CProtobufC
import CTurbineProto

/// A message that has a protoc-c record.
protocol WireRecord {
    associatedtype Record

    /// Fills a record with the protocol's defaults.
    static func prepare(_ c: UnsafeMutablePointer<Record>)

    /// Copies the value into a prepared record.
    func write(to c: UnsafeMutablePointer<Record>, in arena: WireArena) throws(WireError)

    /// Copies an unpacked record; texts and lists are checked against their limits.
    init(reading c: UnsafePointer<Record>) throws(WireError)
}

/// Memory for the records of one message; all of it goes when the arena goes.
final class WireArena {
    private static let blockBytes = 2048
    private var blocks: [UnsafeMutableRawPointer] = []
    private var free: UnsafeMutableRawBufferPointer = .init(start: nil, count: 0)

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Uninitialised memory, aligned to 8 bytes.
    private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let rounded = (byteCount + 7) & ~7
        if rounded <= free.count, let start = free.baseAddress {
            free = .init(start: start + rounded, count: free.count - rounded)
            return start
        }
        let size = max(rounded, Self.blockBytes)
        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        blocks.append(block)
        if size - rounded > free.count {
            free = .init(start: block + rounded, count: size - rounded)
        }
        return block
    }

    private func array<Element>(of type: Element.Type, count: Int) -> UnsafeMutablePointer<Element>
    {
        allocate(count * MemoryLayout<Element>.stride).bindMemory(to: type, capacity: count)
    }

    /// A NUL-terminated copy.
    func text(
        _ value: String, _ field: String, _ maximumBytes: Int
    ) throws(WireError) -> UnsafeMutablePointer<CChar> {
        var value = value
        let copied: UnsafeMutablePointer<CChar>? = value.withUTF8 { utf8 in
            guard utf8.count <= maximumBytes, !utf8.contains(0) else { return nil }
            let copy = array(of: CChar.self, count: utf8.count + 1)
            if let start = utf8.baseAddress {
                UnsafeMutableRawPointer(copy).copyMemory(from: start, byteCount: utf8.count)
            }
            copy[utf8.count] = 0
            return copy
        }
        guard let copied else {
            throw value.utf8.count > maximumBytes
                ? .overLimit(field, value.utf8.count, maximumBytes, "bytes") : .holdsNull(field)
        }
        return copied
    }

    func bytes(
        _ value: [UInt8], _ field: String, _ maximumBytes: Int
    ) throws(WireError) -> ProtobufCBinaryData {
        guard value.count <= maximumBytes else {
            throw .overLimit(field, value.count, maximumBytes, "bytes")
        }
        let copy = array(of: UInt8.self, count: value.count)
        value.withUnsafeBytes { source in
            if let start = source.baseAddress {
                UnsafeMutableRawPointer(copy).copyMemory(from: start, byteCount: source.count)
            }
        }
        return ProtobufCBinaryData(len: value.count, data: copy)
    }

    func record<Value: WireRecord>(
        _ value: Value, _ field: String
    ) throws(WireError) -> UnsafeMutablePointer<Value.Record> {
        let c = array(of: Value.Record.self, count: 1)
        Value.prepare(c)
        do {
            try value.write(to: c, in: self)
        } catch {
            throw field.isEmpty ? error : error.inside(field)
        }
        return c
    }

    func optional<Value: WireRecord>(
        _ value: Value?, _ field: String
    ) throws(WireError) -> UnsafeMutablePointer<Value.Record>? {
        guard let value else { return nil }
        return try record(value, field)
    }

    func list<Value: WireRecord>(
        _ values: [Value], _ field: String, maximum: Int
    ) throws(WireError) -> (UnsafeMutablePointer<UnsafeMutablePointer<Value.Record>?>?, Int) {
        guard values.count <= maximum else {
            throw .overLimit(field, values.count, maximum, "entries")
        }
        let pointers = array(of: UnsafeMutablePointer<Value.Record>?.self, count: values.count)
        for (index, value) in values.enumerated() {
            pointers[index] = try record(value, "\(field)[\(index)]")
        }
        return (pointers, values.count)
    }

    func enumerations<Raw>(
        _ values: [Raw], _ field: String, maximum: Int
    ) throws(WireError) -> (UnsafeMutablePointer<Raw>?, Int) {
        guard values.count <= maximum else {
            throw .overLimit(field, values.count, maximum, "entries")
        }
        let copy = array(of: Raw.self, count: values.count)
        for (index, value) in values.enumerated() { copy[index] = value }
        return (copy, values.count)
    }
}

extension WireError {
    static func overLimit(_ field: String, _ count: Int, _ maximum: Int, _ unit: String)
        -> WireError
    {
        WireError(
            .limitExceeded, "has \(count) \(unit)", field: field,
            remedy: "send at most \(maximum)")
    }

    static func holdsNull(_ field: String) -> WireError {
        WireError(
            .invalidText, "holds a NUL character", field: field, remedy: "send text without it")
    }
}
