// A data set in memory: images as bytes, captions with weights, masks where there are any.
//
// The folder follows the Hugging Face imagefolder convention: PNG images and a metadata.jsonl with
// `file_name` and `text` a line. `mask`, `texts`, `concept`, `split`, `group` and `subgroup` are
// our own and optional; Models/emoji/dataset/README.md tells what they mean.
import ImagePipeline
import TensorCore

/// Images of one size with their captions.
///
/// Pixels stay bytes, 3 a pixel, until they are asked for as floats: 128×128 images take 48 KiB.
public struct ImageFolder: Sendable {
    /// Columns and rows of pixels.
    public struct Size: Sendable, Equatable, CustomStringConvertible {
        public let width: Int
        public let height: Int

        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }

        var pixelCount: Int { width * height }
        public var description: String { "\(width)x\(height)" }
    }

    /// Bounds that hold before memory is taken.
    public struct Limits: Sendable {
        /// The most pixels an image may have.
        public var pixelCount = 1 << 24
        /// The most bytes that images and masks may take together.
        public var byteCount = 8 << 30

        public init() {}
    }

    /// An image's samples.
    struct Picture: Sendable {
        /// (3, height, width).
        let pixels: [UInt8]
        /// (height, width), 255 where the subject is; nil if nothing says where that is.
        var mask: [UInt8]?
    }

    /// The folder as it was named.
    public let path: String
    /// The size of all images.
    public let size: Size
    /// What the data set says about each image, in the order of its lines.
    public let entries: [ImageFolderEntry]
    private let pictures: [Picture]

    /// Reads a data set.
    ///
    /// Images with transparency are laid over white; their alpha is the mask unless the data set
    /// names one.
    /// - Parameters:
    ///   - path: the folder.
    ///   - size: the size that the images must have; nil takes the first image's.
    ///   - limits: bounds on what is read.
    /// - Throws: `DataSetError` with up to 20 problems, each with its line: missing or broken
    ///   images, mixed sizes, empty or gigantic captions, invalid JSON, an unknown split.
    public init(
        path: String, size: Size? = nil, limits: Limits = Limits()
    ) throws(DataSetError) {
        var reader = ImageFolderReader(folder: path, size: size, limits: limits)
        try reader.read()
        guard let size = reader.size else {
            preconditionFailure("a data set without problems has an image")
        }
        self.path = path
        self.size = size
        entries = reader.entries
        pictures = reader.pictures
    }

    /// The number of images.
    public var count: Int { entries.count }

    /// The places of the images of some splits, in order.
    public func indices(in splits: Set<DataSplit>) -> [Int] {
        entries.indices.filter { splits.contains(entries[$0].split) }
    }

    /// The samples of an image: (3, height, width), 0…255.
    public func bytes(at index: Int) -> [UInt8] { pictures[index].pixels }

    /// Where the subject is: (height, width), 255 inside; nil if the data set does not say.
    public func maskBytes(at index: Int) -> [UInt8]? { pictures[index].mask }

    /// An image: [3, height, width], −1…1.
    public func image(at index: Int) -> Tensor {
        images(at: [index]).reshaped([3, size.height, size.width])
    }

    /// Images: [count, 3, height, width], −1…1.
    public func images(at indices: [Int]) -> Tensor {
        let batch = Tensor(uninitialized: [indices.count, 3, size.height, size.width])
        let count = 3 * size.pixelCount
        for (place, index) in indices.enumerated() {
            let target = batch.floats + place * count
            pictures[index].pixels.withUnsafeBufferPointer { source in
                for offset in 0..<count { target[offset] = Float(source[offset]) / 127.5 - 1 }
            }
        }
        return batch
    }
}

extension ImageFolder.Picture {
    /// Takes RGBA pixels: the colours over white, and the alpha as mask where it is not all opaque.
    init(_ image: DecodedImage) {
        let count = image.width * image.height
        var planes = [UInt8](repeating: 0, count: 3 * count)
        var alpha = [UInt8](repeating: 255, count: count)
        var isOpaque = true
        image.pixels.withUnsafeBufferPointer { source in
            for pixel in 0..<count {
                let opacity = Int(source[4 * pixel + 3])
                for channel in 0..<3 {
                    let sample = Int(source[4 * pixel + channel])
                    let laid = (sample * opacity + 255 * (255 - opacity) + 127) / 255
                    planes[channel * count + pixel] = UInt8(laid)
                }
                alpha[pixel] = UInt8(opacity)
                isOpaque = isOpaque && opacity == 255
            }
        }
        pixels = planes
        mask = isOpaque ? nil : alpha
    }
}
