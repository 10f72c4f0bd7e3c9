// The recorded forms of norms, attention and image operations.
import TensorCore

extension RecordingOperations {
    public func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, scale: Tensor?, segments: Segments
    ) -> Tensor {
        let y = eager.rmsNorm(
            x, weight: weight, epsilon: epsilon, scale: scale, segments: segments)
        record(y, of: [x, weight, scale]) { eager, dy, gradients in
            eager.rmsNormGradient(
                x, weight: weight, epsilon: epsilon, scale: scale, segments: segments,
                gradient: dy, x: gradients.targetOrScratch(x),
                weight: weight.flatMap(gradients.target), scale: scale.flatMap(gradients.target))
        }
        return y
    }

    public func layerNorm(
        _ x: Tensor, epsilon: Float, scale: Tensor?, segments: Segments
    ) -> Tensor {
        let y = eager.layerNorm(x, epsilon: epsilon, scale: scale, segments: segments)
        record(y, of: [x, scale]) { eager, dy, gradients in
            eager.layerNormGradient(
                x, epsilon: epsilon, scale: scale, segments: segments, gradient: dy,
                x: gradients.targetOrScratch(x), scale: scale.flatMap(gradients.target))
        }
        return y
    }

    public func gatedAdd(
        _ x: Tensor, _ update: Tensor, gate: Tensor?, segments: Segments
    ) -> Tensor {
        let y = eager.gatedAdd(x, update, gate: gate, segments: segments)
        record(y, of: [x, update, gate]) { eager, dy, gradients in
            eager.gatedAddGradient(
                update, gate: gate, segments: segments, gradient: dy,
                update: gradients.targetOrScratch(update), gate: gate.flatMap(gradients.target))
            gradients.pass(dy, to: x, eager)
        }
        return y
    }

    public func headNormRotary(
        _ x: Tensor, headDimension: Int, weight: Tensor?, epsilon: Float, rotary: RotaryTable?
    ) -> Tensor {
        let y = eager.headNormRotary(
            x, headDimension: headDimension, weight: weight, epsilon: epsilon, rotary: rotary)
        record(y, of: [x, weight]) { eager, dy, gradients in
            eager.headNormRotaryGradient(
                x, headDimension: headDimension, weight: weight, epsilon: epsilon,
                rotary: rotary, gradient: dy, x: gradients.targetOrScratch(x),
                weight: weight.flatMap(gradients.target))
        }
        return y
    }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, layout: AttentionLayout, measuringEntropy: Bool
    ) -> (output: Tensor, entropies: [Float]?) {
        let (y, entropies) = eager.attention(
            query: query, key: key, value: value, layout: layout,
            measuringEntropy: measuringEntropy)
        record(y, of: [query, key, value]) { eager, dy, gradients in
            eager.attentionGradient(
                query: query, key: key, value: value, layout: layout, gradient: dy,
                query: gradients.targetOrScratch(query), key: gradients.targetOrScratch(key),
                value: gradients.targetOrScratch(value))
        }
        return (y, entropies)
    }

    public func groupNorm(
        _ x: Tensor, groupCount: Int, weight: Tensor, bias: Tensor, epsilon: Float, silu: Bool
    ) -> Tensor {
        let y = eager.groupNorm(
            x, groupCount: groupCount, weight: weight, bias: bias, epsilon: epsilon, silu: silu)
        record(y, of: [x, weight, bias]) { eager, dy, gradients in
            eager.groupNormGradient(
                x, groupCount: groupCount, weight: weight, bias: bias, epsilon: epsilon,
                silu: silu, gradient: dy, x: gradients.targetOrScratch(x),
                weight: gradients.target(weight), bias: gradients.target(bias))
        }
        return y
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry
    ) -> Tensor {
        let y = eager.convolution(x, weight: weight, bias: bias, geometry: geometry)
        record(y, of: [x, weight, bias]) { eager, dy, gradients in
            eager.convolutionGradient(
                x, weight: weight, geometry: geometry, gradient: dy, x: gradients.target(x),
                weight: gradients.target(weight), bias: bias.flatMap(gradients.target))
        }
        return y
    }

    public func upsampledConvolution(_ x: Tensor, weight: Tensor, bias: Tensor) -> Tensor {
        let y = eager.upsampledConvolution(x, weight: weight, bias: bias)
        record(y, of: [x, weight, bias]) { eager, dy, gradients in
            eager.upsampledConvolutionGradient(
                x, weight: weight, gradient: dy, x: gradients.target(x),
                weight: gradients.target(weight), bias: gradients.target(bias))
        }
        return y
    }

    public func upsample2(_ x: Tensor) -> Tensor {
        let y = eager.upsample2(x)
        record(y, of: [x]) { eager, dy, gradients in
            eager.upsample2Gradient(dy, x: gradients.targetOrScratch(x))
        }
        return y
    }
}
