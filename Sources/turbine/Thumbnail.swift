// A finished job's stored reply in, a small picture and what its file says of itself out.
import Foundation
import ImagePipeline
import StatusHTTP
import WireProtocol

/// The small picture of a finished job's first image.
struct Thumbnail: Sendable {
    /// The longer side of a picture, in pixels.
    static let sideLimit = 160
    /// Larger images are not read: what a picture costs for a moment is three bytes a pixel.
    static let pixelLimit = 1 << 24

    /// The picture as PNG, without the original's metadata.
    let png: [UInt8]
    /// What the image and its metadata tell about the job.
    let details: JobDetails

    /// Makes the thumbnail of a result as the store keeps it: an encoded `ServerMessage`.
    /// - Throws: `WireError` or `GenerationError` for bytes that are no result or no sound image.
    init(result: [UInt8]) throws {
        guard case .completed(let completed) = try ServerMessage(frame: result).reply,
            let first = completed.images.first
        else {
            throw GenerationError(
                code: .unreadableImage, field: "result", what: "it holds no image")
        }
        let image = try PNGDecoder(pixelLimit: Self.pixelLimit).decode(first.png, name: "result")
        let (pixels, width, height) = Self.reduce(image)
        png = try PNGEncoder.encode(pixels: pixels, width: width, height: height)
        let parameters = image.text.first { $0.key == "parameters" }?.value
        details = JobDetails(
            prompt: parameters.map { String(InfoText(parsing: $0).prompt.prefix(120)) } ?? "",
            width: image.width, height: image.height, seed: first.seed)
    }

    /// Averages blocks of pixels so that neither side is above the limit: (height, width, RGB).
    static func reduce(_ image: DecodedImage) -> (pixels: [UInt8], width: Int, height: Int) {
        let longest = max(image.width, image.height)
        guard longest > sideLimit else { return (image.pixels, image.width, image.height) }
        let width = max(1, image.width * sideLimit / longest)
        let height = max(1, image.height * sideLimit / longest)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            let rows = y * image.height / height..<(y + 1) * image.height / height
            for x in 0..<width {
                let columns = x * image.width / width..<(x + 1) * image.width / width
                pixels += average(image, rows, columns)
            }
        }
        return (pixels, width, height)
    }

    private static func average(
        _ image: DecodedImage, _ rows: Range<Int>, _ columns: Range<Int>
    ) -> [UInt8] {
        var (red, green, blue) = (0, 0, 0)
        for row in rows {
            let start = (row * image.width + columns.lowerBound) * 3
            for index in stride(from: start, to: start + columns.count * 3, by: 3) {
                red += Int(image.pixels[index])
                green += Int(image.pixels[index + 1])
                blue += Int(image.pixels[index + 2])
            }
        }
        let count = rows.count * columns.count
        return [red, green, blue].map { UInt8(($0 + count / 2) / count) }
    }
}
