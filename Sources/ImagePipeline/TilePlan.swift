// Where tiles lie along one axis, and how they blend.

/// The tiles of one axis: equal extents, at least the wanted overlap, no tile larger than asked.
struct TilePlan: Equatable {
    /// In latent cells, ascending; all of one length.
    let ranges: [Range<Int>]

    /// - Parameters:
    ///   - extent: cells to cover
    ///   - size: largest extent of a tile
    ///   - overlap: cells that neighbours share at least; less than `size`
    init(extent: Int, size: Int, overlap: Int) {
        guard extent > size else {
            ranges = [0..<extent]
            return
        }
        let stride = size - overlap
        let count = (extent - overlap + stride - 1) / stride
        // The least length with which `count` tiles reach across; then spread evenly.
        let length = min(size, (extent + (count - 1) * overlap + count - 1) / count)
        ranges = (0..<count).map { index in
            let start = index * (extent - length) / (count - 1)
            return start..<start + length
        }
    }

    /// Weights of a tile's pixels along the axis: 1, or ramps over what it shares with its
    /// neighbours.
    func weights(tile index: Int, scale: Int, blending: TilingOptions.Blending) -> [Float] {
        let range = ranges[index]
        var weights = [Float](repeating: 1, count: range.count * scale)
        guard blending == .feathered else { return weights }
        func ramp(_ cells: Int, _ position: (Int) -> Int) {
            let length = cells * scale
            for i in 0..<length {
                weights[position(i)] *= (Float(i) + 0.5) / Float(length)
            }
        }
        let count = weights.count
        if index > 0 { ramp(ranges[index - 1].upperBound - range.lowerBound) { $0 } }
        if index + 1 < ranges.count {
            ramp(range.upperBound - ranges[index + 1].lowerBound) { count - 1 - $0 }
        }
        return weights
    }

    /// The sum of all tiles' weights at each pixel of the axis.
    func weightSums(scale: Int, blending: TilingOptions.Blending) -> [Float] {
        var sums = [Float](repeating: 0, count: ranges.last!.upperBound * scale)
        for (index, range) in ranges.enumerated() {
            let weights = weights(tile: index, scale: scale, blending: blending)
            for (i, weight) in weights.enumerated() { sums[range.lowerBound * scale + i] += weight }
        }
        return sums
    }
}
