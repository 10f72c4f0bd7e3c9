// sRGB samples in OKLab: lightness 0…1, a (green to red) and b (blue to yellow) about −0.3…0.3.
// Source: Björn Ottosson, "A perceptual color space for image processing", 2020.
import Foundation

enum OKLab {
    /// Linear light of each sample value.
    private static let linear: [Float] = (0..<256).map { level in
        let value = Double(level) / 255
        return Float(value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4))
    }

    /// Planes of lightness, a and b of an image of samples (3, height, width), averaged in linear
    /// light to another size.
    static func planes(
        of bytes: [UInt8], size: ImageFolder.Size, resampledTo target: ImageFolder.Size
    ) -> [[Float]] {
        let count = size.pixelCount
        let light = (0..<3).map { channel in
            let plane = bytes[channel * count..<(channel + 1) * count].map { linear[Int($0)] }
            return AreaResampling.resample(plane, from: size, to: target)
        }
        let zeros = [Float](repeating: 0, count: target.pixelCount)
        var planes = [zeros, zeros, zeros]
        for pixel in 0..<target.pixelCount {
            let (lightness, a, b) = color(light[0][pixel], light[1][pixel], light[2][pixel])
            planes[0][pixel] = lightness
            planes[1][pixel] = a
            planes[2][pixel] = b
        }
        return planes
    }

    /// Linear sRGB → OKLab.
    static func color(_ red: Float, _ green: Float, _ blue: Float) -> (Float, Float, Float) {
        let l = cbrtf(0.412_221_46 * red + 0.536_332_55 * green + 0.051_445_995 * blue)
        let m = cbrtf(0.211_903_5 * red + 0.680_699_5 * green + 0.107_396_96 * blue)
        let s = cbrtf(0.088_302_46 * red + 0.281_718_85 * green + 0.629_978_7 * blue)
        return (
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s
        )
    }
}
