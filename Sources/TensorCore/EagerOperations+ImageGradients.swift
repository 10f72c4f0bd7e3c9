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
        if let dbias { planeSums(gradient, into: dbias) }
        let window = Window(
            kernel: geometry.kernel, stride: geometry.stride, top: geometry.leadingPadding,
            left: geometry.leadingPadding)
        if let dweight {
            weightGradient(x, window, gradient, into: dweight.floats, adds: dweight.adds)
        }
        if let dx { inputGradient(x.shape, weight, window, gradient, dx) }
        withExtendedLifetime((x, weight, gradient)) {}
    }

    /// Where a kernel lies over an image.
    private struct Window {
        let kernel: Int
        let stride: Int
        /// Rows and columns of zeros before the image.
        let top: Int
        let left: Int
    }

    /// dweight [outputs, inputs · k²] = dy · tapsᵀ. Taps are written out for some pixels at a time,
    /// so that they stay in the cache.
    private func weightGradient(
        _ x: Tensor, _ window: Window, _ gradient: Tensor,
        into dweight: UnsafeMutablePointer<Float>, adds: Bool
    ) {
        let (inputs, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let (outputs, outWidth) = (gradient.shape[0], gradient.shape[2])
        let pixels = gradient.shape[1] * outWidth
        let depth = inputs * window.kernel * window.kernel
        let block = min(pixels, max(256, (1 << 18) / depth / 256 * 256))
        let taps = Tensor(uninitialized: [depth, block])
        for start in stride(from: 0, to: pixels, by: block) {
            let count = min(block, pixels - start)
            ck_im2col(
                x.floats, Int64(inputs), Int64(height), Int64(width), Int32(window.kernel),
                Int32(window.stride), Int32(window.top), Int32(window.left), Int64(outWidth),
                Int64(start), Int64(count), taps.floats)
            product(
                FloatMatrix(gradient.floats + start, stride: pixels),
                FloatMatrix(taps.floats, stride: count, isTransposed: true), rows: outputs,
                columns: depth, depth: count, into: dweight, stride: depth,
                adds: adds || start > 0)
        }
        withExtendedLifetime(taps) {}
    }

    /// dx is the convolution of dy, spread out by the stride, with the kernels turned around.
    private func inputGradient(
        _ shape: [Int], _ weight: Tensor, _ window: Window, _ gradient: Tensor,
        _ dx: GradientTarget
    ) {
        let (outputs, inputs, kernel) = (weight.shape[0], weight.shape[1], window.kernel)
        let spread = spread(gradient, by: window.stride)
        let turned = turnedKernels(weight)
        let call = ConvolutionCall(
            image: ck_image(
                planes: spread.floats, height: Int64(spread.shape[1]),
                width: Int64(spread.shape[2]), out_width: Int64(shape[2]), kernel: Int32(kernel),
                stride: 1, pad_top: Int32(kernel - 1 - window.top),
                pad_left: Int32(kernel - 1 - window.left)),
            weight: turned.reshaped([inputs, outputs * kernel * kernel]),
            pixels: shape[1] * shape[2], output: dx.floats, accumulates: dx.adds)
        switch products {
        case .packed: runPacked(call)
        case .openBLAS: runWithBLAS(call)
        }
        withExtendedLifetime((spread, turned)) {}
    }

    /// Of `upsampledConvolution`, phase by phase like the forward: each phase's part of dy meets a
    /// 2 × 2 kernel.
    public func upsampledConvolutionGradient(
        _ x: Tensor, weight: Tensor, gradient: Tensor, x dx: GradientTarget?,
        weight dweight: GradientTarget?, bias dbias: GradientTarget?
    ) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        if let dbias { planeSums(gradient, into: dbias) }
        let weightSum = dweight?.startingAtZero()
        let inputSum = dx?.startingAtZero()
        let partial = Tensor(uninitialized: [outputs, inputs * 4])
        for (rowPhase, columnPhase) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let part = phase(of: gradient, rowPhase, columnPhase)
            let window = Window(
                kernel: 2, stride: 1, top: 1 - rowPhase, left: 1 - columnPhase)
            if let inputSum {
                let kernels = phaseWeight(weight, rowPhase, columnPhase)
                    .reshaped([outputs, inputs, 2, 2])
                inputGradient(
                    x.shape, kernels, window, part, GradientTarget(inputSum, adds: true))
            }
            if let weightSum {
                weightGradient(x, window, part, into: partial.floats, adds: false)
                addPhaseGradient(partial, rowPhase, columnPhase, to: weightSum)
            }
        }
        withExtendedLifetime((x, weight, gradient)) {}
    }

    /// Every second pixel of every second row: [channels, height / 2, width / 2].
    private func phase(of x: Tensor, _ rowPhase: Int, _ columnPhase: Int) -> Tensor {
        let (channels, height, width) = (x.shape[0], x.shape[1] / 2, x.shape[2] / 2)
        let output = Tensor(uninitialized: [channels, height, width])
        for line in 0..<channels * height {
            let source =
                x.floats + (line / height * 2 * height + line % height * 2 + rowPhase) * 2 * width
                + columnPhase
            let target = output.floats + line * width
            for column in 0..<width { target[column] = source[2 * column] }
        }
        return output
    }

    /// Each of the nine taps gets the gradient of the one of four that it is part of.
    private func addPhaseGradient(
        _ partial: Tensor, _ rowPhase: Int, _ columnPhase: Int, to dweight: Tensor
    ) {
        for kernel in 0..<partial.count / 4 {
            for tap in 0..<9 {
                let row = tap / 3 < 1 + rowPhase ? 0 : 1
                let column = tap % 3 < 1 + columnPhase ? 0 : 1
                dweight.floats[kernel * 9 + tap] += partial.floats[kernel * 4 + row * 2 + column]
            }
        }
    }

    /// The sum of each plane of dy, for a bias by channel.
    private func planeSums(_ gradient: Tensor, into dbias: GradientTarget) {
        let pixels = gradient.shape[1] * gradient.shape[2]
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
