// A convolution after nearest-neighbour doubling, without the doubled image.
import CKernels

extension EagerOperations {
    /// An output pixel's 3 × 3 taps fall on only 2 × 2 pixels of the image before doubling. Which
    /// ones depends on whether its row and column are even or odd: four convolutions with 2 × 2
    /// kernels, whose taps are sums of the given ones, do 4/9 of the work and need no doubled copy.
    public func upsampledConvolution(_ x: Tensor, weight: Tensor, bias: Tensor) -> Tensor {
        guard products == .packed else {
            return convolution(upsample2(x), weight: weight, bias: bias, geometry: .same3)
        }
        let (inputs, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let outputs = weight.shape[0]
        precondition(weight.shape == [outputs, inputs, 3, 3])
        let output = Tensor(uninitialized: [outputs, 2 * height, 2 * width])
        let source = weight.asFloat32()
        for rowPhase in 0..<2 {
            let parts = (0..<2).map { columnPhase in
                let part = Tensor(uninitialized: [outputs, height, width])
                fill(part, bias)
                runPacked(
                    ConvolutionCall(
                        image: ck_image(
                            planes: x.floats, height: Int64(height), width: Int64(width),
                            out_width: Int64(width), kernel: 2, stride: 1,
                            pad_top: Int32(1 - rowPhase), pad_left: Int32(1 - columnPhase)),
                        weight: phaseWeight(source, rowPhase, columnPhase),
                        pixels: height * width, output: part.floats, accumulates: true))
                return part
            }
            let (even, odd, target) = (parts[0].floats, parts[1].floats, output.floats)
            pool.run(outputs) { channel, _ in
                for row in 0..<height {
                    let from = (channel * height + row) * width
                    let to = (channel * 2 * height + 2 * row + rowPhase) * 2 * width
                    ck_interleave(even + from, odd + from, target + to, Int64(width))
                }
            }
            withExtendedLifetime(parts) {}
        }
        withExtendedLifetime((x, source)) {}
        return output
    }

    /// The 2 × 2 kernel of one phase, [outputs, inputs · 4]. In an even row the taps above stay
    /// alone and the middle and lower ones meet; in an odd row the upper and middle ones meet.
    func phaseWeight(_ weight: Tensor, _ rowPhase: Int, _ columnPhase: Int) -> Tensor {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let result = Tensor(uninitialized: [outputs, inputs * 4])
        let (source, target) = (weight.floats, result.floats)
        func taps(_ phase: Int, _ half: Int) -> Range<Int> {
            half == 0 ? 0..<1 + phase : 1 + phase..<3
        }
        pool.run(outputs) { output, _ in
            for input in 0..<inputs {
                let kernel = source + (output * inputs + input) * 9
                for half in 0..<4 {
                    var sum: Float = 0
                    for row in taps(rowPhase, half / 2) {
                        for column in taps(columnPhase, half % 2) {
                            sum += kernel[row * 3 + column]
                        }
                    }
                    target[(output * inputs + input) * 4 + half] = sum
                }
            }
        }
        return result
    }
}
