// How learning rates rise and fall over a run.
import Glibc

/// A linear rise, the full rate, then half a cosine down to a share of it.
///
/// With a fall of the whole rest it is the usual cosine. A fall of less leaves the steps before it
/// the same for runs of every length (warm-up, stable, decay; Hu et al. 2024).
public struct LearningRateSchedule: Sendable, Equatable {
    public var warmUpSteps: Int
    public var totalSteps: Int
    /// The last factor.
    public var floor: Float
    /// The steps of the fall, the last ones of the run.
    public var decaySteps: Int

    /// - Parameter decaySteps: nil for all after the rise
    public init(
        warmUpSteps: Int, totalSteps: Int, floor: Float = 0.02, decaySteps: Int? = nil
    ) {
        self.warmUpSteps = warmUpSteps
        self.totalSteps = totalSteps
        self.floor = floor
        self.decaySteps = decaySteps ?? totalSteps - warmUpSteps
    }

    /// The factor at a step, counted from 0.
    public func factor(at step: Int) -> Float {
        if step < warmUpSteps { return Float(step + 1) / Float(warmUpSteps) }
        let progress = Double(step - (totalSteps - decaySteps)) / Double(max(1, decaySteps))
        let cosine = 0.5 * (1 + cos(Double.pi * min(1, max(0, progress))))
        return floor + (1 - floor) * Float(cosine)
    }
}
