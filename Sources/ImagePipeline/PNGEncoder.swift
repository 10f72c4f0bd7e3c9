// Pixels in, PNG out, a row at a time: the image is never held whole.

internal import CPNG

/// Encodes an 8-bit RGB image as PNG while its rows are made.
///
/// Text entries stand before the pixels, so that readers find them without decoding. The bytes
/// depend on the arguments and the rows alone (and on the installed libpng and zlib): no time, no
/// random ids. An encoder whose call has thrown is spent. Not thread-safe.
public final class PNGEncoder {
    /// The largest width and height, in pixels.
    public static let sideLimit = 16_384

    /// Columns of pixels.
    public let width: Int
    /// Rows of pixels.
    public let height: Int
    /// Rows taken so far.
    public private(set) var rowsWritten = 0

    private let stream: UnsafeMutablePointer<cpng_stream>
    private let output: Output
    private var isFinished = false

    /// Opens the file: writes the header and the text entries.
    /// - Parameters:
    ///   - width: 1 to `sideLimit`.
    ///   - height: 1 to `sideLimit`.
    ///   - text: the text entries, in the order in which they are to stand.
    ///   - compression: zlib's level: 0 stores, 1 is fast, 9 is small.
    ///   - sink: where the bytes go.
    /// - Throws: `GenerationError` for arguments out of range; what `sink` throws.
    public init(
        width: Int, height: Int, text: [PNGText] = [], compression: Int = 6, to sink: any ByteSink
    ) throws {
        try Self.check("width", width, in: 1...Self.sideLimit)
        try Self.check("height", height, in: 1...Self.sideLimit)
        try Self.check("compression", compression, in: 0...9)
        self.width = width
        self.height = height
        let chunks = try text.map { try $0.chunk() }
        output = Output(sink: sink)
        // The stream keeps an unowned reference to `output`, which lives as long as this object.
        let context = Unmanaged.passUnretained(output).toOpaque()
        guard let stream = cpng_writer_create(context, Output.callback) else {
            throw GenerationError(
                code: .resourceLimit, field: "PNG encoder", what: "no memory left",
                remedy: "free memory and try again")
        }
        self.stream = stream
        try check(
            cpng_write_set_header(stream, UInt32(width), UInt32(height), Int32(compression)))
        for chunk in chunks {
            let status = chunk.key.withUnsafeBufferPointer { key in
                chunk.value.withUnsafeBufferPointer { value in
                    key.withMemoryRebound(to: CChar.self) { key in
                        value.withMemoryRebound(to: CChar.self) { value in
                            cpng_write_add_text(
                                stream, key.baseAddress, value.baseAddress, chunk.isUTF8 ? 1 : 0)
                        }
                    }
                }
            }
            try check(status)
        }
        try check(cpng_write_begin(stream))
    }

    deinit {
        cpng_destroy(stream)
    }

    /// Takes the next rows: (rows, width, RGB), 8 bits a sample.
    /// - Throws: `GenerationError` when `pixels` is no whole number of rows or there are too many
    ///   rows; what the sink throws.
    public func write(rows pixels: UnsafeBufferPointer<UInt8>) throws {
        let rowBytes = width * 3
        let count = pixels.count / rowBytes
        guard pixels.count % rowBytes == 0, count <= height - rowsWritten else {
            throw GenerationError(
                code: .invalidArgument, field: "rows",
                what:
                    "\(pixels.count) bytes do not fit the \(height - rowsWritten) missing rows of "
                    + "\(rowBytes) bytes",
                remedy: "hand over whole rows of RGB pixels, \(height) in all")
        }
        guard let base = pixels.baseAddress else { return }
        for row in 0..<count {
            try check(cpng_write_row(stream, base + row * rowBytes))
            rowsWritten += 1
        }
    }

    /// Takes the next rows: (rows, width, RGB), 8 bits a sample.
    public func write(rows pixels: [UInt8]) throws {
        try pixels.withUnsafeBufferPointer { try write(rows: $0) }
    }

    /// Ends the file. All rows must have been written. The sink is not closed.
    public func finish() throws {
        guard !isFinished, rowsWritten == height else {
            throw GenerationError(
                code: .internalError, field: "PNG encoder",
                what: isFinished
                    ? "finished twice" : "\(rowsWritten) of \(height) rows were written",
                remedy: "write every row, then finish once")
        }
        try check(cpng_write_finish(stream))
        isFinished = true
    }

    /// Encodes a whole image in memory. `pixels`: (height, width, RGB).
    public static func encode(
        pixels: [UInt8], width: Int, height: Int, text: [PNGText] = [], compression: Int = 6
    ) throws -> [UInt8] {
        let sink = MemorySink()
        let encoder = try PNGEncoder(
            width: width, height: height, text: text, compression: compression, to: sink)
        try encoder.write(rows: pixels)
        try encoder.finish()
        return sink.bytes
    }

    private static func check(_ field: String, _ value: Int, in range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw GenerationError(
                code: .invalidArgument, field: field, what: "is \(value)",
                remedy: "use \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// Turns the status of a C call into an error: the sink's own, or libpng's message.
    private func check(_ status: Int32) throws {
        guard status != 0 else { return }
        if let failure = output.failure { throw failure }
        throw GenerationError(
            code: .internalError, field: "PNG encoder", what: String(cString: cpng_message(stream)))
    }
}

/// The sink behind the C callback, and the error that it threw.
private final class Output {
    let sink: any ByteSink
    var failure: (any Error)?

    init(sink: any ByteSink) {
        self.sink = sink
    }

    static let callback: cpng_write_callback = { context, bytes, count in
        guard let context else { return 1 }
        let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
        do {
            try output.sink.write(UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        } catch {
            output.failure = error
            return 1
        }
    }
}
