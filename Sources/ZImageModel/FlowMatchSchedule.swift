// The noise schedule of flow matching and its Euler step.
import Checkpoints
import Foundation
import TensorCore

/// The fields of a `FlowMatchEulerDiscreteScheduler` configuration.
public struct ScheduleConfiguration: Sendable, Equatable {
    public enum ShiftKind: String, Sendable { case exponential, linear }
    public enum Respacing: String, Sendable { case none, karras, exponential }

    public let trainingStepCount: Int
    public let shift: Double
    public let usesDynamicShift: Bool
    public let baseShift: Double
    public let maximumShift: Double
    public let baseSequenceLength: Int
    public let maximumSequenceLength: Int
    public let shiftKind: ShiftKind
    public let terminalShift: Double?
    public let respacing: Respacing
    public let invertsSigmas: Bool

    /// - Throws: `CheckpointError` naming the field at fault.
    public init(_ configuration: Configuration) throws {
        try configuration.require(
            "_class_name", [.string("FlowMatchEulerDiscreteScheduler")])
        // Stochastic sampling draws from a generator that no seed reaches; beta spacing needs the
        // inverse of the incomplete beta function. No published checkpoint of the family uses them.
        try configuration.require("stochastic_sampling", [.bool(false)])
        try configuration.require("use_beta_sigmas", [.bool(false)])
        try configuration.require(
            "time_shift_type", [.string("exponential"), .string("linear")])
        trainingStepCount = try configuration.int("num_train_timesteps", default: 1000)
        shift = try configuration.float("shift", default: 1, in: 1e-3...1e3)
        usesDynamicShift = try configuration.bool("use_dynamic_shifting", default: false)
        baseShift = try configuration.float("base_shift", default: 0.5, in: -100...100)
        maximumShift = try configuration.float("max_shift", default: 1.15, in: -100...100)
        baseSequenceLength = try configuration.int("base_image_seq_len", default: 256)
        maximumSequenceLength = try configuration.int("max_image_seq_len", default: 4096)
        shiftKind =
            ShiftKind(
                rawValue: try configuration.string("time_shift_type", default: "exponential"))
            ?? .exponential
        let terminal = try configuration.float("shift_terminal", default: 0, in: 0...0.999)
        terminalShift = terminal == 0 ? nil : terminal
        if try configuration.bool("use_karras_sigmas", default: false) {
            respacing = .karras
        } else if try configuration.bool("use_exponential_sigmas", default: false) {
            respacing = .exponential
        } else {
            respacing = .none
        }
        invertsSigmas = try configuration.bool("invert_sigmas", default: false)
        if maximumSequenceLength == baseSequenceLength {
            throw configuration.fault(
                "max_image_seq_len", "equals base_image_seq_len")
        }
    }
}

/// The noise levels of one generation.
///
/// Source: diffusers' `FlowMatchEulerDiscreteScheduler.set_timesteps` as `ZImagePipeline` calls it.
/// Arithmetic is in float32 where the reference's is.
public struct FlowMatchSchedule: Sendable, Equatable {
    /// Noise levels, one more than there are steps; the last is 0 (1 when inverted).
    public let sigmas: [Float]
    /// Sigmas before the last, times the number of training steps.
    public let timesteps: [Float]

    public var stepCount: Int { timesteps.count }

    /// - Parameters:
    ///   - stepCount: at least 1
    ///   - imageTokenCount: patches of the image, which a dynamic shift depends on
    public init(
        stepCount: Int, imageTokenCount: Int, configuration: ScheduleConfiguration
    ) {
        precondition(stepCount >= 1)
        var levels = Self.linearSpace(from: 1, to: Float(1 / Double(stepCount)), count: stepCount)
        if configuration.usesDynamicShift {
            let mu = Self.dynamicShift(imageTokenCount, configuration)
            let numerator = Float(configuration.shiftKind == .exponential ? exp(mu) : mu)
            levels = levels.map { numerator / (numerator + (1 / $0 - 1)) }
        } else {
            let shift = Float(configuration.shift)
            let excess = Float(configuration.shift - 1)
            levels = levels.map { shift * $0 / (1 + excess * $0) }
        }
        if let terminal = configuration.terminalShift {
            let factor = (1 - levels.last!) / Float(1 - terminal)
            levels = levels.map { 1 - (1 - $0) / factor }
        }
        levels = Self.respaced(levels, configuration.respacing)
        if configuration.invertsSigmas { levels = levels.map { 1 - $0 } }
        timesteps = levels.map { $0 * Float(configuration.trainingStepCount) }
        sigmas = levels + [configuration.invertsSigmas ? 1 : 0]
    }

    /// The time the transformer is given at a step: (1000 − timestep) / 1000.
    public func time(atStep step: Int) -> Float {
        (1000 - timesteps[step]) / 1000
    }

    /// One Euler step: latents + (σ' − σ) · (−velocity).
    ///
    /// The transformer's output points from noise to data; the reference negates it first.
    public func advance(
        _ latents: Tensor, velocity: Tensor, step: Int
    ) -> Tensor {
        precondition(latents.count == velocity.count)
        let difference = sigmas[step + 1] - sigmas[step]
        let output = Tensor(uninitialized: latents.shape)
        for i in 0..<latents.count {
            output.floats[i] = latents.floats[i] + difference * -velocity.floats[i]
        }
        return output
    }

    /// `torch.linspace` in float32, which counts from the nearer end.
    private static func linearSpace(from start: Float, to end: Float, count: Int) -> [Float] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { i in
            i < count / 2 ? start + step * Float(i) : end - step * Float(count - i - 1)
        }
    }

    private static func dynamicShift(
        _ tokenCount: Int, _ configuration: ScheduleConfiguration
    ) -> Double {
        let slope =
            (configuration.maximumShift - configuration.baseShift)
            / Double(configuration.maximumSequenceLength - configuration.baseSequenceLength)
        let offset = configuration.baseShift - slope * Double(configuration.baseSequenceLength)
        return Double(tokenCount) * slope + offset
    }

    private static func respaced(
        _ levels: [Float], _ respacing: ScheduleConfiguration.Respacing
    ) -> [Float] {
        let (high, low, count) = (Double(levels.first!), Double(levels.last!), levels.count)
        let ramp = (0..<count).map { count == 1 ? 0 : Double($0) / Double(count - 1) }
        switch respacing {
        case .none: return levels
        case .karras:
            let rho = 7.0
            let (top, bottom) = (pow(high, 1 / rho), pow(low, 1 / rho))
            return ramp.map { Float(pow(top + $0 * (bottom - top), rho)) }
        case .exponential:
            return ramp.map { Float(exp(log(high) + $0 * (log(low) - log(high)))) }
        }
    }
}
