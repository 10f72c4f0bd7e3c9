// What a worker keeps between steps, and gets back from another worker's steps.
import ImagePipeline
import WireProtocol

extension EngineAdapter {
    /// The state to start an image from. What cannot be gone on from (of another version, say) is
    /// left aside: starting over gives the same image, later.
    static func state(
        _ resume: ResumeState?, image: Int, _ request: ImagePipeline.GenerationRequest,
        _ generator: ImageGenerator
    ) -> DenoisingState? {
        guard let resume, Int(resume.imageIndex) == image, resume.step > 0 else { return nil }
        guard let state = try? generator.readState(contents: resume.latents, for: request),
            state.current.step == Int(resume.step), state.current.step <= request.stepCount
        else { return nil }
        return state
    }

    /// The seed of a job whose request has none is drawn once, and travels with its state.
    static func seed(_ engineState: [UInt8]?) -> UInt64? {
        guard let engineState, engineState.count == 8 else { return nil }
        return engineState.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func bytes(seed: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: seed >> ($0 * 8)) }
    }

    static func bytes(hexadecimal text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
