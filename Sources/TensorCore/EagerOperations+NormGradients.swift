// Backward of norms and gates by row; gradients of scales and gates are by sequence.
import CKernels

extension EagerOperations {
    /// Of `rmsNorm`.
    public func rmsNormGradient(
        _ x: Tensor, weight: Tensor?, epsilon: Float, scale: Tensor?, segments: Segments,
        gradient: Tensor, x dx: GradientTarget, weight dweight: GradientTarget?,
        scale dscale: GradientTarget?
    ) {
        let width = x.shape[1]
        let weightSum = dweight?.startingAtZero()
        let scaleSum = dscale?.startingAtZero()
        for (sequence, range) in segments.ranges.enumerated() {
            let start = range.lowerBound * width
            ck_rms_norm_gradient(
                x.floats + start, weight?.floats, scale.map { $0.floats + sequence * width },
                gradient.floats + start, dx.floats + start, dx.flag, weightSum?.floats,
                scaleSum.map { $0.floats + sequence * width }, Int64(range.count), Int64(width),
                epsilon)
        }
        withExtendedLifetime((x, weight, scale, gradient)) {}
    }

    /// Of `layerNorm`.
    public func layerNormGradient(
        _ x: Tensor, epsilon: Float, scale: Tensor?, segments: Segments, gradient: Tensor,
        x dx: GradientTarget, scale dscale: GradientTarget?
    ) {
        let width = x.shape[1]
        let scaleSum = dscale?.startingAtZero()
        for (sequence, range) in segments.ranges.enumerated() {
            let start = range.lowerBound * width
            ck_layer_norm_gradient(
                x.floats + start, scale.map { $0.floats + sequence * width },
                gradient.floats + start, dx.floats + start, dx.flag,
                scaleSum.map { $0.floats + sequence * width }, Int64(range.count), Int64(width),
                epsilon)
        }
        withExtendedLifetime((x, scale, gradient)) {}
    }

    /// Of `gatedAdd` with respect to update and gate; that of x is dy itself.
    public func gatedAddGradient(
        _ update: Tensor, gate: Tensor?, segments: Segments, gradient: Tensor,
        update dupdate: GradientTarget, gate dgate: GradientTarget?
    ) {
        let width = update.shape[1]
        let gateSum = dgate?.startingAtZero()
        for (sequence, range) in segments.ranges.enumerated() {
            let start = range.lowerBound * width
            ck_gated_add_gradient(
                update.floats + start, gate.map { $0.floats + sequence * width },
                gradient.floats + start, dupdate.floats + start, dupdate.flag,
                gateSum.map { $0.floats + sequence * width }, Int64(range.count), Int64(width))
        }
        withExtendedLifetime((update, gate, gradient)) {}
    }

    /// Of `headNormRotary`.
    public func headNormRotaryGradient(
        _ x: Tensor, headDimension: Int, weight: Tensor?, epsilon: Float, rotary: RotaryTable?,
        gradient: Tensor, x dx: GradientTarget, weight dweight: GradientTarget?
    ) {
        let (rows, width) = (x.shape[0], x.shape[1])
        let half = headDimension / 2
        let weightSum = dweight?.startingAtZero()
        for row in 0..<rows {
            ck_head_norm_rotary_gradient(
                x.floats + row * width, weight?.floats, epsilon,
                rotary.map { UnsafePointer($0.cosines.floats + row * half) },
                rotary.map { UnsafePointer($0.sines.floats + row * half) },
                rotary?.isInterleaved == true ? 1 : 0, gradient.floats + row * width,
                dx.floats + row * width, dx.flag, weightSum?.floats,
                Int64(width / headDimension), Int64(headDimension))
        }
        withExtendedLifetime((x, weight, gradient)) {}
    }
}
