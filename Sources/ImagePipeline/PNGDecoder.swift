// PNG in, pixels out: every colour type and depth, with limits that hold before memory is taken.

internal import CPNG

/// A decoded image and its text entries.
public struct DecodedImage: Equatable, Sendable {
    /// Columns of pixels.
    public let width: Int
    /// Rows of pixels.
    public let height: Int
    /// Samples a pixel: 3 (RGB) or 4 (RGBA, not premultiplied).
    public let channels: Int
    /// (height, width, channels), 8 bits a sample.
    public let pixels: [UInt8]
    /// The text entries, in file order.
    public let text: [PNGText]
}

/// Reads PNG files: gray, palette, RGB, with or without alpha, 1 to 16 bits, interlaced or not.
///
/// Samples are taken as stored (no gamma or profile is applied); 16-bit samples are rounded to 8
/// bits. A wrong checksum, a missing end mark or a cut-off file is an error, never a partial image.
public struct PNGDecoder: Sendable {
    /// What becomes of transparency.
    public enum Alpha: Sendable {
        /// Pixels are laid over white: RGB.
        case onWhite
        /// Pixels keep their alpha: RGBA, opaque where the file has none.
        case keep
    }

    /// What becomes of transparency.
    public var alpha: Alpha
    /// The most pixels an image may have.
    public var pixelLimit: Int

    /// The largest width and height, in pixels.
    public static let sideLimit = PNGEncoder.sideLimit
    /// The most bytes that a side chunk (text, profile) may take once decompressed.
    static let chunkByteLimit = 8 << 20
    /// The most side chunks that are kept.
    static let chunkCountLimit: UInt32 = 256

    /// - Parameters:
    ///   - alpha: what becomes of transparency.
    ///   - pixelLimit: the most pixels an image may have; 64 Mi by default.
    public init(alpha: Alpha = .onWhite, pixelLimit: Int = 1 << 26) {
        self.alpha = alpha
        self.pixelLimit = pixelLimit
    }

    /// Decodes an image in memory. `name` stands for it in errors.
    /// - Throws: `GenerationError`: `unreadableImage` for damaged bytes, `resourceLimit` for an
    ///   image beyond the limits.
    public func decode(_ bytes: [UInt8], name: String = "image") throws -> DecodedImage {
        try decode(MemorySource(bytes: bytes), name: name)
    }

    /// Decodes an image file.
    /// - Throws: `GenerationError`: `unreadableFile` when the file cannot be read, else as for
    ///   bytes.
    public func decode(file path: String) throws -> DecodedImage {
        try decode(FileSource(path: path), name: path)
    }

    /// Reads the size and those text entries that stand before the pixels, without decoding them.
    public func header(file path: String) throws -> (width: Int, height: Int, text: [PNGText]) {
        let session = try DecodingSession(FileSource(path: path), name: path)
        let size = try session.readHeader(pixelLimit: pixelLimit)
        return (size.width, size.height, session.text())
    }

    private func decode(_ source: any ByteSource, name: String) throws -> DecodedImage {
        let session = try DecodingSession(source, name: name)
        let size = try session.readHeader(pixelLimit: pixelLimit)
        let layout = try session.begin()
        let outputChannels = alpha == .keep ? 4 : 3
        var pixels: [UInt8] = []
        if layout.passes == 1 {
            // Row by row, so that memory grows with what the file really holds.
            var row = [UInt8](repeating: 0, count: layout.rowBytes)
            for _ in 0..<size.height {
                try session.readRow(into: &row[...])
                convert(row[...], channels: layout.channels, into: &pixels)
            }
        } else {
            var image = [UInt8](repeating: 0, count: layout.rowBytes * size.height)
            for _ in 0..<layout.passes {
                for start in stride(from: 0, to: image.count, by: layout.rowBytes) {
                    try session.readRow(into: &image[start..<start + layout.rowBytes])
                }
            }
            pixels.reserveCapacity(size.width * size.height * outputChannels)
            convert(image[...], channels: layout.channels, into: &pixels)
        }
        try session.finish()
        return DecodedImage(
            width: size.width, height: size.height, channels: outputChannels, pixels: pixels,
            text: session.text())
    }

    /// Appends pixels of 3 or 4 channels to `output` in the channels that `alpha` asks for.
    private func convert(_ input: ArraySlice<UInt8>, channels: Int, into output: inout [UInt8]) {
        switch (channels, alpha) {
        case (3, .onWhite), (4, .keep):
            output.append(contentsOf: input)
        case (3, .keep):
            let start = output.count
            output.append(contentsOf: repeatElement(255, count: input.count / 3 * 4))
            output.withUnsafeMutableBufferPointer { output in
                input.withUnsafeBufferPointer { input in
                    for (pixel, source) in stride(from: 0, to: input.count, by: 3).enumerated() {
                        for channel in 0..<3 {
                            output[start + pixel * 4 + channel] = input[source + channel]
                        }
                    }
                }
            }
        default:
            for start in stride(from: input.startIndex, to: input.endIndex, by: 4) {
                let opacity = Int(input[start + 3])
                for channel in 0..<3 {
                    let sample = Int(input[start + channel])
                    output.append(UInt8((sample * opacity + 255 * (255 - opacity) + 127) / 255))
                }
            }
        }
    }
}

/// One libpng reader and the bytes it reads.
private final class DecodingSession {
    struct Layout {
        let channels: Int
        let passes: Int
        let rowBytes: Int
    }

    private let stream: UnsafeMutablePointer<cpng_stream>
    private let input: Input
    private let name: String
    private var header = cpng_header()

    init(_ source: any ByteSource, name: String) throws {
        input = Input(source: source)
        self.name = name
        // The stream keeps an unowned reference to `input`, which lives as long as this object.
        let stream = cpng_reader_create(
            Unmanaged.passUnretained(input).toOpaque(), Input.callback,
            UInt32(PNGDecoder.sideLimit), PNGDecoder.chunkByteLimit, PNGDecoder.chunkCountLimit)
        guard let stream else {
            throw GenerationError(
                code: .resourceLimit, field: name, what: "no memory left to read it",
                remedy: "free memory and try again")
        }
        self.stream = stream
    }

    deinit {
        cpng_destroy(stream)
    }

    func readHeader(pixelLimit: Int) throws -> (width: Int, height: Int) {
        try check(cpng_read_header(stream, &header))
        let (width, height) = (Int(header.width), Int(header.height))
        guard width * height <= pixelLimit else {
            throw GenerationError(
                code: .resourceLimit, field: name,
                what: "\(width)×\(height) is more than \(pixelLimit) pixels",
                remedy: "use a smaller image")
        }
        return (width, height)
    }

    func begin() throws -> Layout {
        try check(cpng_read_begin(stream, &header))
        let (channels, rowBytes) = (Int(header.channels), Int(header.row_bytes))
        guard channels == 3 || channels == 4, rowBytes == Int(header.width) * channels else {
            throw GenerationError(
                code: .internalError, field: name, what: "rows of \(channels) channels")
        }
        return Layout(channels: channels, passes: Int(header.passes), rowBytes: rowBytes)
    }

    /// Reads a row; `row` holds exactly the layout's bytes a row.
    func readRow(into row: inout ArraySlice<UInt8>) throws {
        precondition(row.count == Int(header.row_bytes))
        try check(row.withUnsafeMutableBufferPointer { cpng_read_row(stream, $0.baseAddress) })
    }

    func finish() throws {
        try check(cpng_read_finish(stream))
    }

    /// The text entries read so far.
    func text() -> [PNGText] {
        (0..<cpng_read_text_count(stream)).compactMap { index in
            var entry = cpng_text_entry()
            guard cpng_read_text(stream, index, &entry) == 0, let key = entry.key else {
                return nil
            }
            let value = UnsafeRawBufferPointer(start: entry.value, count: entry.count)
            let keyBytes = UnsafeRawBufferPointer(start: key, count: strlen(key))
            return PNGText(
                key: Self.latin1(keyBytes),
                value: entry.is_utf8 != 0
                    ? String(decoding: value, as: UTF8.self) : Self.latin1(value))
        }
    }

    private static func latin1(_ bytes: UnsafeRawBufferPointer) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
        return String(text)
    }

    /// Turns the status of a C call into an error: the source's own, or libpng's message.
    private func check(_ status: Int32) throws {
        guard status != 0 else { return }
        if let failure = input.failure { throw failure }
        let message =
            input.isAtEnd ? "the file ends too early" : String(cString: cpng_message(stream))
        throw GenerationError(
            code: .unreadableImage, field: name, what: "not a sound PNG image (\(message))",
            remedy: "use a PNG file that other programs open")
    }
}

/// The source behind the C callback, and how it failed.
private final class Input {
    let source: any ByteSource
    var failure: (any Error)?
    var isAtEnd = false

    init(source: any ByteSource) {
        self.source = source
    }

    static let callback: cpng_read_callback = { context, bytes, count in
        guard let context, let bytes else { return 1 }
        let input = Unmanaged<Input>.fromOpaque(context).takeUnretainedValue()
        do {
            let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: count)
            input.isAtEnd = try input.source.read(into: buffer) < count
            return input.isAtEnd ? 1 : 0
        } catch {
            input.failure = error
            return 1
        }
    }
}
