// What a worker keeps between steps, and gets back from another worker's steps.
import ImagePipeline
import WireProtocol
import WorkerService

extension EngineAdapter {
    /// The state to start the first image from; nil to start from its noise.
    ///
    /// - Throws: `WorkerError` (`invalidResumeState`) for one that cannot be gone on from: damaged,
    ///   or of another model, numerics class or version. The finished images before it are not to
    ///   be trusted either, so the whole job begins again.
    static func state(
        _ resume: ResumeState?, _ request: ImagePipeline.GenerationRequest,
        _ generator: ImageGenerator
    ) throws -> DenoisingState? {
        guard let resume, resume.step > 0 else { return nil }
        do {
            let state = try generator.readState(
                contents: resume.latents, for: request, image: Int(resume.imageIndex))
            guard state.current.step == Int(resume.step) else {
                throw WorkerError(
                    .invalidResumeState,
                    "latents are after step \(state.current.step), not \(resume.step)")
            }
            return state
        } catch let error as WorkerError {
            throw error
        } catch {
            throw WorkerError(.invalidResumeState, "\(error)")
        }
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
