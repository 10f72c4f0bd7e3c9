// How long work takes on a worker, learned from what it did.

/// Exponentially weighted times of a worker: per step and per image, normalised by pixels.
///
/// Step times are kept for each pixel tier, since attention makes them grow faster than the
/// pixels; a tier never measured borrows the nearest measured one's time a pixel.
public struct CostModel: Equatable, Sendable, Codable {
    /// Weight of a new measurement.
    static let gain = 0.2

    /// Microseconds for 1024 pixels and one step, by tier; 0 where never measured.
    private var stepCost: [Double]
    /// Microseconds for 1024 pixels of one image besides its steps (encoding, decoding).
    private var imageCost = 0.0

    /// A model that has measured nothing, for a number of pixel tiers.
    public init(tierCount: Int) { stepCost = Array(repeating: 0, count: tierCount) }

    /// Takes in that `count` steps on images of `pixels` took `span`.
    public mutating func observeSteps(_ count: Int, pixels: Int, tier: Int, span: TimeSpan) {
        guard stepCost.indices.contains(tier), count > 0, pixels > 0 else { return }
        let units = Double(count) * Double(pixels) / 1024
        let sample = max(Double(span.microseconds), 1) / units
        let old = stepCost[tier]
        stepCost[tier] = old == 0 ? sample : old + Self.gain * (sample - old)
    }

    /// Takes in that a finished job spent `span` on something else than steps.
    public mutating func observeOverhead(shape: JobShape, span: TimeSpan) {
        let units = Double(shape.images) * Double(shape.pixels) / 1024
        guard units > 0 else { return }
        let sample = max(Double(span.microseconds), 0) / units
        imageCost = imageCost == 0 ? sample : imageCost + Self.gain * (sample - imageCost)
    }

    /// Microseconds for 1024 pixels and one step; nil where nothing was ever measured.
    func unitCost(tier: Int) -> Double? {
        for distance in 0..<stepCost.count {
            for index in [tier - distance, tier + distance]
            where stepCost.indices.contains(index) && stepCost[index] > 0 {
                return stepCost[index]
            }
        }
        return nil
    }

    /// How long one step on images of `pixels` takes; nil where nothing was ever measured.
    public func stepTime(pixels: Int, tier: Int) -> TimeSpan? {
        unitCost(tier: tier).map { TimeSpan(clamping: $0 * Double(pixels) / 1024) }
    }

    /// How long a job takes from its step `done` on; nil where nothing was ever measured.
    public func runTime(_ shape: JobShape, tier: Int, done: Int = 0) -> TimeSpan? {
        guard let unit = unitCost(tier: tier) else { return nil }
        let left = Double(max(shape.totalSteps - done, 0)) * unit
        let kilopixels = Double(shape.pixels) / 1024
        return TimeSpan(clamping: kilopixels * (left + imageCost * Double(shape.images)))
    }

    /// How long nothing may happen in a job before it counts as hung.
    func hangLimit(_ shape: JobShape, tier: Int, limits: QueueLimits) -> TimeSpan {
        guard let unit = unitCost(tier: tier) else { return limits.hangLongest }
        let kilopixels = Double(shape.pixels) / 1024
        let longest = max(unit, imageCost * Double(shape.images)) * kilopixels
        let limit = TimeSpan(clamping: longest * limits.hangFactor)
        return min(max(limit, limits.hangShortest), limits.hangLongest)
    }
}
