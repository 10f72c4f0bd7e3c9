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
        if let bias { fill(output, bias) }
        let image = ck_image(
            planes: x.floats, height: Int64(height), width: Int64(width),
            out_width: Int64(outWidth), kernel: Int32(kernel), stride: Int32(geometry.stride),
            pad_top: Int32(geometry.leadingPadding), pad_left: Int32(geometry.leadingPadding))
        let call = ConvolutionCall(
            image: image, weight: weight.reshaped([outputs, inputs * kernel * kernel]),
            pixels: pixels, output: output.floats, accumulates: bias != nil)
        switch products {
        case .packed: runPacked(call)
        case .openBLAS: runWithBLAS(call)
        }
        withExtendedLifetime(x) {}
        return output
    }

    /// Every plane of an image with its channel's bias, which products then add to.
    func fill(_ output: Tensor, _ bias: Tensor) {
        let values = bias.asFloat32()
        let plane = output.shape[1] * output.shape[2]
        for channel in 0..<output.shape[0] {
            (output.floats + channel * plane).update(
                repeating: values.floats[channel], count: plane)
        }
    }

    /// A convolution as a product: output [outputs, pixels] = weight · taps.
    struct ConvolutionCall {
        let image: ck_image
        /// [outputs, inputs · kernel²]
        let weight: Tensor
        let pixels: Int
        let output: UnsafeMutablePointer<Float>
        let accumulates: Bool

        var outputCount: Int { weight.shape[0] }
        var depth: Int { weight.shape[1] }
    }

    /// The taps are gathered straight into the panels of the product.
    func runPacked(_ call: ConvolutionCall) {
        let rows = WeightRectangle(call.weight, 0..<call.outputCount, 0..<call.depth).rows
        let packed = pack(rows, count: call.outputCount, depth: call.depth)
        let columns = ck_columns(
            kind: Int32(CK_FROM_IMAGE), rows: ck_rows(), image: call.image, panels: nil)
        multiply(
            packed, rows: call.outputCount, depth: call.depth, columns, count: call.pixels,
            into: call.output, stride: call.pixels, accumulates: call.accumulates)
    }

    /// The taps of a block of pixels are written out as a matrix for OpenBLAS.
    func runWithBLAS(_ call: ConvolutionCall) {
        let matrix = call.weight.asFloat32()
        let (depth, image) = (call.depth, call.image)
        let block = pixelBlock(depth: depth, pixels: call.pixels)
        pool.reserveScratch(depth * block)
        let area = Int(image.kernel * image.kernel)
        pool.run((call.pixels + block - 1) / block) { index, slot in
            let first = index * block
            let count = min(block, call.pixels - first)
            let columns = pool.scratch(slot)
            ck_im2col(
                image.planes, Int64(depth / area), image.height, image.width, image.kernel,
                image.stride, image.pad_top, image.pad_left, image.out_width, Int64(first),
                Int64(count),
                columns)
            // [outputs, depth] x [depth, count]
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(call.outputCount),
                blasint(count), blasint(depth), 1, matrix.floats, blasint(depth), columns,
                blasint(count), call.accumulates ? 1 : 0, call.output + first,
                blasint(call.pixels))
        }
        withExtendedLifetime(matrix) {}
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
