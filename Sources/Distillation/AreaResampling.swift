// Resampling by area: each target cell is the mean of what it covers.

enum AreaResampling {
    /// Resamples a plane (height, width), rows after columns.
    static func resample(
        _ plane: [Float], from size: ImageFolder.Size, to target: ImageFolder.Size
    ) -> [Float] {
        let columns = weights(size.width, target.width)
        let rows = weights(size.height, target.height)
        var narrow = [Float](repeating: 0, count: size.height * target.width)
        for y in 0..<size.height {
            for (x, parts) in columns.enumerated() {
                var sum: Float = 0
                for part in parts { sum += part.weight * plane[y * size.width + part.place] }
                narrow[y * target.width + x] = sum
            }
        }
        var output = [Float](repeating: 0, count: target.pixelCount)
        for (y, parts) in rows.enumerated() {
            for part in parts {
                for x in 0..<target.width {
                    output[y * target.width + x] +=
                        part.weight * narrow[part.place * target.width + x]
                }
            }
        }
        return output
    }

    private struct Part {
        let place: Int
        let weight: Float
    }

    /// For each of `target` cells the sources it covers, with weights that sum to 1.
    private static func weights(_ source: Int, _ target: Int) -> [[Part]] {
        let span = Double(source) / Double(target)
        return (0..<target).map { cell in
            let (start, end) = (Double(cell) * span, Double(cell + 1) * span)
            let last = min(source - 1, Int(end.rounded(.up)) - 1)
            return (Int(start)...max(last, Int(start))).compactMap { place in
                let covered = min(end, Double(place + 1)) - max(start, Double(place))
                return covered > 1e-9 ? Part(place: place, weight: Float(covered / span)) : nil
            }
        }
    }
}
