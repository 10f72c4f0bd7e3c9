// Operations on images [channels, height, width].
import CKernels
import COpenBLAS

extension EagerOperations {
    public func groupNorm(
        _ x: Tensor, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float, silu: Bool
    ) -> Tensor {
        let (channels, plane) = (x.shape[0], x.shape[1] * x.shape[2])
        precondition(channels % groupCount == 0 && weight.count == channels)
        let groupSize = channels / groupCount
        let output = Tensor(uninitialized: x.shape)
        let (weight, bias) = (weight.asFloat32(), bias.asFloat32())
        let (source, target) = (x.floats, output.floats)
        pool.run(groupCount) { group, _ in
            let first = group * groupSize
            var (mean, inverse) = (Float(0), Float(0))
            ck_moments(
                source + first * plane, Int64(groupSize * plane), epsilon, &mean, &inverse)
            for channel in first..<first + groupSize {
                let factor = inverse * weight.floats[channel]
                ck_normalize_plane(
                    source + channel * plane, factor, bias.floats[channel] - mean * factor,
                    silu ? 1 : 0, target + channel * plane, Int64(plane))
            }
        }
        withExtendedLifetime((weight, bias)) {}
        return output
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry
    ) -> Tensor {
        let (inputs, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let (outputs, kernel) = (weight.shape[0], geometry.kernel)
        precondition(weight.shape == [outputs, inputs, kernel, kernel])
        let outWidth = geometry.outputExtent(width)
        let outHeight = geometry.outputExtent(height)
        let pixels = outWidth * outHeight
        let output = Tensor(uninitialized: [outputs, outHeight, outWidth])
        let matrix = weight.asFloat32()
        let bias = bias?.asFloat32()
        let depth = inputs * kernel * kernel
        let block = pixelBlock(depth: depth, pixels: pixels)
        pool.reserveScratch(depth * block)
        let (source, target) = (x.floats, output.floats)
        pool.run((pixels + block - 1) / block) { index, slot in
            let first = index * block
            let count = min(block, pixels - first)
            let columns = pool.scratch(slot)
            ck_im2col(
                source, Int64(inputs), Int64(height), Int64(width), Int32(kernel),
                Int32(geometry.stride), Int32(geometry.leadingPadding),
                Int32(geometry.leadingPadding), Int64(outWidth), Int64(first), Int64(count),
                columns)
            if let bias {
                for channel in 0..<outputs {
                    (target + channel * pixels + first).update(
                        repeating: bias.floats[channel], count: count)
                }
            }
            // [outputs, depth] x [depth, count]
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(outputs), blasint(count),
                blasint(depth), 1, matrix.floats, blasint(depth), columns, blasint(count),
                bias == nil ? 0 : 1, target + first, blasint(pixels))
        }
        withExtendedLifetime((matrix, bias)) {}
        return output
    }

    /// Output pixels a task: the columns of a block take 2 MiB or so, and a small image still gives
    /// every thread something to do.
    private func pixelBlock(depth: Int, pixels: Int) -> Int {
        let fitting = max(64, (1 << 19) / max(depth, 1) / 64 * 64)
        return min(min(fitting, 2048), max(64, (pixels / 4 + 63) / 64 * 64))
    }

    public func upsample2(_ x: Tensor) -> Tensor {
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let output = Tensor(uninitialized: [channels, 2 * height, 2 * width])
        let (source, target) = (x.floats, output.floats)
        let plane = height * width
        pool.run(channels) { channel, _ in
            ck_upsample2(
                source + channel * plane, Int64(height), Int64(width),
                target + channel * 4 * plane)
        }
        return output
    }
}
