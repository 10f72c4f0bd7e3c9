// How the fields of an unpacked protoc-c record become Swift values, each within its limit.

import CProtobufC
import CTurbineProto

/// Reads single fields; every fault names the field.
enum WireReader {
    static func text(
        _ pointer: UnsafePointer<CChar>?, _ field: String, _ maximumBytes: Int
    ) throws(WireError) -> String {
        guard let pointer, pointer.pointee != 0 else { return "" }
        guard let value = String(validatingCString: pointer) else {
            throw WireError(
                .invalidText, "is not UTF-8", field: field, remedy: "send text as UTF-8")
        }
        guard value.utf8.count <= maximumBytes else {
            throw .overLimit(field, value.utf8.count, maximumBytes, "bytes")
        }
        return value
    }

    static func bytes(
        _ data: ProtobufCBinaryData, _ field: String, _ maximumBytes: Int
    ) throws(WireError) -> [UInt8] {
        guard data.len <= maximumBytes else {
            throw .overLimit(field, data.len, maximumBytes, "bytes")
        }
        return Array(UnsafeBufferPointer(start: data.data, count: data.len))
    }

    static func finite(_ value: Double, _ field: String) throws(WireError) -> Double {
        guard value.isFinite else {
            throw WireError(
                .invalidValue, "is \(value)", field: field, remedy: "send a finite number")
        }
        return value
    }

    static func known<Value: RawRepresentable>(
        _ rawValue: UInt32, _ field: String
    ) throws(WireError) -> Value where Value.RawValue == UInt32 {
        guard let value = Value(rawValue: rawValue) else {
            throw WireError(
                .unknownValue, "has the value \(Int32(bitPattern: rawValue))", field: field,
                remedy: "use a value that the protocol names")
        }
        return value
    }

    static func required<Value: WireRecord>(
        _ pointer: UnsafePointer<Value.Record>?, _ field: String
    ) throws(WireError) -> Value {
        guard let pointer else { throw missing(field) }
        do {
            return try Value(reading: pointer)
        } catch {
            throw error.inside(field)
        }
    }

    static func optional<Value: WireRecord>(
        _ pointer: UnsafePointer<Value.Record>?, _ field: String
    ) throws(WireError) -> Value? {
        guard pointer != nil else { return nil }
        return try required(pointer, field)
    }

    static func list<Value: WireRecord>(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Value.Record>?>?, _ count: Int,
        _ field: String, maximum: Int
    ) throws(WireError) -> [Value] {
        guard count > 0, let pointers else { return [] }
        guard count <= maximum else { throw .overLimit(field, count, maximum, "entries") }
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            guard let pointer = pointers[index] else { throw missing("\(field)[\(index)]") }
            do {
                values.append(try Value(reading: pointer))
            } catch {
                throw error.inside("\(field)[\(index)]")
            }
        }
        return values
    }

    static func jobStates(
        _ pointer: UnsafePointer<Turbine__V1__JobState>?, _ count: Int, _ field: String,
        maximum: Int
    ) throws(WireError) -> [JobState] {
        guard count <= maximum else { throw .overLimit(field, count, maximum, "entries") }
        return UnsafeBufferPointer(start: pointer, count: count).map {
            JobState(tolerating: $0.rawValue)
        }
    }

    static func missing(_ field: String) -> WireError {
        WireError(.missingField, "is missing", field: field, remedy: "set it")
    }
}
