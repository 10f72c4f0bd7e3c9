// How learning rates rise and fall over a run.
import Glibc

/// A linear rise, then half a cosine down to a share of the full rate.
public struct LearningRateSchedule: Sendable, Equatable {
    public var warmUpSteps: Int
    public var totalSteps: Int
    /// The last factor.
    public var floor: Float

    public init(warmUpSteps: Int, totalSteps: Int, floor: Float = 0.02) {
        self.warmUpSteps = warmUpSteps
        self.totalSteps = totalSteps
        self.floor = floor
    }

    /// The factor at a step, counted from 0.
    public func factor(at step: Int) -> Float {
        if step < warmUpSteps { return Float(step + 1) / Float(warmUpSteps) }
        let progress = Double(step - warmUpSteps) / Double(max(1, totalSteps - warmUpSteps))
        let cosine = 0.5 * (1 + cos(Double.pi * min(1, progress)))
        return floor + (1 - floor) * Float(cosine)
    }
}
