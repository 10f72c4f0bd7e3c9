// Many images on one PNG, to look at; what each was meant to be goes into a text file beside it.
import ImagePipeline
import TensorCore

/// A grid of images of one size.
///
/// Cells fill rows from the left. On a light gray ground white images show their frames.
public struct ContactSheet {
    /// Columns and rows of an image.
    public let size: ImageFolder.Size
    /// Images in a row.
    public let columns: Int
    /// Pixels between images and around them.
    public let margin: Int
    /// How many pixels of the sheet, squared, a pixel of an image takes.
    public let scale: Int

    private var cells: [(planes: [UInt8], caption: String)] = []
    private static let ground = PixelColor(0xDADDE1)

    /// - Parameters:
    ///   - size: the size of the images.
    ///   - columns: images in a row, at least 1.
    public init(size: ImageFolder.Size, columns: Int, margin: Int = 6, scale: Int = 1) {
        precondition(columns >= 1 && margin >= 0 && scale >= 1)
        self.size = size
        self.columns = columns
        self.margin = margin
        self.scale = scale
    }

    /// The number of images so far.
    public var count: Int { cells.count }

    /// Adds an image of samples: (3, height, width), 0…255.
    public mutating func add(bytes: [UInt8], caption: String) {
        precondition(bytes.count == 3 * size.pixelCount, "an image of \(size) is needed")
        cells.append((bytes, caption))
    }

    /// Adds an image of floats: [3, height, width], −1…1. What lies beyond is cut off; what is no
    /// number becomes black.
    public mutating func add(image: Tensor, caption: String) {
        add(bytes: Self.bytes(image), caption: caption)
    }

    /// The samples 0…255 of an image of floats −1…1, rounded.
    public static func bytes(_ image: Tensor) -> [UInt8] {
        image.elements.map { value in
            guard !value.isNaN else { return 0 }
            return UInt8((min(max(value, -1), 1) * 0.5 + 0.5) * 255 + 0.5)
        }
    }

    /// The sheet as a PNG file.
    /// - Throws: `GenerationError` when it is empty or too large for a PNG.
    public func png() throws -> [UInt8] {
        let rows = (cells.count + columns - 1) / columns
        let shown = min(columns, max(cells.count, 1))
        let (cellWidth, cellHeight) = (size.width * scale + margin, size.height * scale + margin)
        let (width, height) = (shown * cellWidth + margin, rows * cellHeight + margin)
        guard !cells.isEmpty, max(width, height) <= PNGEncoder.sideLimit else {
            throw GenerationError(
                code: .invalidArgument, field: "contact sheet",
                what: cells.isEmpty ? "has no image" : "would have \(width)x\(height) pixels",
                remedy: "add images, or take fewer or a smaller scale")
        }
        var canvas = PixelCanvas(width: width, height: height, background: Self.ground)
        for (index, cell) in cells.enumerated() {
            canvas.draw(
                planes: cell.planes, width: size.width, height: size.height,
                x: margin + index % columns * cellWidth, y: margin + index / columns * cellHeight,
                scale: scale)
        }
        return try canvas.png()
    }

    /// The captions: one line an image, with its row and column from 1.
    public var captions: String {
        cells.enumerated().map { index, cell in
            let caption = cell.caption.split(whereSeparator: \.isNewline).joined(separator: " ")
            return "\(index / columns + 1)\t\(index % columns + 1)\t\(caption)\n"
        }.joined()
    }

    /// Writes the sheet, and its captions beside it: `sheet.png` and `sheet.txt`.
    /// - Throws: `GenerationError` as `png()`, or when a file cannot be written.
    public func write(to path: String) throws {
        let stem = path.hasSuffix(".png") ? String(path.dropLast(4)) : path
        try AtomicFile.write(png(), to: path)
        try AtomicFile.write(captions.utf8, to: stem + ".txt")
    }
}
