// Backward of operations on images [channels, height, width].
import CKernels

extension EagerOperations {
    /// Of `groupNorm`.
    public func groupNormGradient(
        _ x: Tensor, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float, silu: Bool,
        gradient: Tensor, x dx: GradientTarget, weight dweight: GradientTarget?,
        bias dbias: GradientTarget?
    ) {
        let (channels, plane) = (x.shape[0], x.shape[1] * x.shape[2])
        let groupSize = channels / groupCount
        let (weightSum, biasSum) = (dweight?.startingAtZero(), dbias?.startingAtZero())
        pool.reserveScratch(groupSize * plane)
        pool.run(groupCount) { group, slot in
            let first = group * groupSize
            let inner = pool.scratch(slot)
            var (mean, inverse) = (Float(0), Float(0))
            ck_moments(
                x.floats + first * plane, Int64(groupSize * plane), epsilon, &mean, &inverse)
            var (total, productTotal) = (Double(0), Double(0))
            for channel in first..<first + groupSize {
                var (sum, productSum) = (Float(0), Float(0))
                ck_normalize_plane_gradient(
                    x.floats + channel * plane, mean, inverse, weight.floats[channel],
                    bias.floats[channel], silu ? 1 : 0, gradient.floats + channel * plane,
                    inner + (channel - first) * plane, Int64(plane), &sum, &productSum)
                weightSum?.floats[channel] += productSum
                biasSum?.floats[channel] += sum
                total += Double(sum * weight.floats[channel])
                productTotal += Double(productSum * weight.floats[channel])
            }
            let count = Double(groupSize * plane)
            for channel in first..<first + groupSize {
                ck_group_norm_gradient(
                    x.floats + channel * plane, mean, inverse, weight.floats[channel],
                    inner + (channel - first) * plane, Float(total / count),
                    Float(productTotal / count), dx.floats + channel * plane, Int64(plane),
                    dx.flag)
            }
        }
        withExtendedLifetime((x, weight, bias, gradient)) {}
    }

    /// Of `convolution`.
    ///
    /// dx is a convolution of dy, spread out where the forward one strode, with the kernels turned
    /// around; dweight = dy [outputs, pixels] · taps [pixels, inputs · k²].
    public func convolutionGradient(
        _ x: Tensor, weight: Tensor, geometry: ConvolutionGeometry, gradient: Tensor,
        x dx: GradientTarget?, weight dweight: GradientTarget?, bias dbias: GradientTarget?
    ) {
        let pixels = gradient.shape[1] * gradient.shape[2]
        if let dbias {
            let target = dbias.startingAtZero().floats
            for channel in 0..<gradient.shape[0] {
                var sum: Double = 0
                let plane = gradient.floats + channel * pixels
                for start in stride(from: 0, to: pixels, by: 256) {
                    var part: Float = 0
                    for i in start..<min(start + 256, pixels) { part += plane[i] }
                    sum += Double(part)
                }
                target[channel] += Float(sum)
            }
        }
        if let dweight {
            convolutionWeightGradient(x, geometry, gradient, dweight)
        }
        if let dx {
            convolutionInputGradient(x.shape, weight, geometry, gradient, dx)
        }
        withExtendedLifetime((x, weight, gradient)) {}
    }

    /// Taps are written out for some pixels at a time, so that they stay in the cache.
    private func convolutionWeightGradient(
        _ x: Tensor, _ geometry: ConvolutionGeometry, _ gradient: Tensor,
        _ dweight: GradientTarget
    ) {
        let (inputs, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let outputs = gradient.shape[0]
        let (outWidth, pixels) = (gradient.shape[2], gradient.shape[1] * gradient.shape[2])
        let depth = inputs * geometry.kernel * geometry.kernel
        let block = min(pixels, max(256, (1 << 18) / depth / 256 * 256))
        let taps = Tensor(uninitialized: [depth, block])
        for start in stride(from: 0, to: pixels, by: block) {
            let count = min(block, pixels - start)
            ck_im2col(
                x.floats, Int64(inputs), Int64(height), Int64(width), Int32(geometry.kernel),
                Int32(geometry.stride), Int32(geometry.leadingPadding),
                Int32(geometry.leadingPadding), Int64(outWidth), Int64(start), Int64(count),
                taps.floats)
            product(
                FloatMatrix(gradient.floats + start, stride: pixels),
                FloatMatrix(taps.floats, stride: count, isTransposed: true), rows: outputs,
                columns: depth, depth: count, into: dweight.floats, stride: depth,
                adds: dweight.adds || start > 0)
        }
        withExtendedLifetime(taps) {}
    }

    private func convolutionInputGradient(
        _ shape: [Int], _ weight: Tensor, _ geometry: ConvolutionGeometry, _ gradient: Tensor,
        _ dx: GradientTarget
    ) {
        let (outputs, inputs, kernel) = (weight.shape[0], weight.shape[1], geometry.kernel)
        let spread = spread(gradient, by: geometry.stride)
        let leading = kernel - 1 - geometry.leadingPadding
        let turned = turnedKernels(weight)
        let call = ConvolutionCall(
            image: ck_image(
                planes: spread.floats, height: Int64(spread.shape[1]),
                width: Int64(spread.shape[2]), out_width: Int64(shape[2]), kernel: Int32(kernel),
                stride: 1, pad_top: Int32(leading), pad_left: Int32(leading)),
            weight: turned.reshaped([inputs, outputs * kernel * kernel]),
            pixels: shape[1] * shape[2], output: dx.floats, accumulates: dx.adds)
        switch products {
        case .packed: runPacked(call)
        case .openBLAS: runWithBLAS(call)
        }
        withExtendedLifetime((spread, turned)) {}
    }

    /// An image with zeros between its pixels: pixel (y, x) moves to (y · step, x · step).
    private func spread(_ x: Tensor, by step: Int) -> Tensor {
        if step == 1 { return x }
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let output = Tensor(
            zeros: [channels, (height - 1) * step + 1, (width - 1) * step + 1])
        for line in 0..<channels * height {
            let (channel, y) = (line / height, line % height)
            let target =
                output.floats + (channel * output.shape[1] + y * step) * output.shape[2]
            for column in 0..<width { target[column * step] = x.floats[line * width + column] }
        }
        return output
    }

    /// [outputs, inputs, k, k] → [inputs, outputs, k, k], each kernel turned by 180°.
    private func turnedKernels(_ weight: Tensor) -> Tensor {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let area = weight.shape[2] * weight.shape[3]
        let result = Tensor(uninitialized: [inputs, outputs, weight.shape[2], weight.shape[3]])
        let (source, target) = (weight.floats, result.floats)
        for output in 0..<outputs {
            for input in 0..<inputs {
                let from = source + (output * inputs + input) * area
                let to = target + (input * outputs + output) * area
                for tap in 0..<area { to[tap] = from[area - 1 - tap] }
            }
        }
        return result
    }

    /// Of `upsample2`.
    public func upsample2Gradient(_ gradient: Tensor, x dx: GradientTarget) {
        let (height, width) = (dx.tensor.shape[1], dx.tensor.shape[2])
        let plane = height * width
        for channel in 0..<dx.tensor.shape[0] {
            ck_upsample2_gradient(
                gradient.floats + channel * 4 * plane, Int64(height), Int64(width),
                dx.floats + channel * plane, dx.flag)
        }
        withExtendedLifetime(gradient) {}
    }
}
