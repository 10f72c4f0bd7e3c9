"""Golden data of no checkpoint: noise of PyTorch's CPU generator, single operations."""

import torch
import torch.nn.functional as functional

from recording import Tensors

# Counts around the blocks of 16 of the Box-Muller fill, and shapes of real latents.
NOISE_SHAPES = [[1], [2], [7], [15], [16], [17], [24], [31], [33], [100], [4, 6, 10], [16, 2, 3]]
NOISE_SEEDS = [0, 42, 2**32 - 1, 2**32 + 5, 2**63, 2**64 - 1]


def record_noise():
    """One draw per shape and seed, each from a fresh generator."""
    tensors, cases = Tensors(), []
    for seed in NOISE_SEEDS:
        for shape in NOISE_SHAPES:
            name = f"noise.seed{seed}.{'x'.join(map(str, shape))}"
            source = torch.Generator("cpu").manual_seed(seed)
            tensors.add(name, torch.randn(shape, generator=source))
            # As text: JSON numbers beyond 2^53 lose digits in many readers.
            cases.append({"name": name, "seed": str(seed), "shape": shape})
    return tensors, cases


def record_operations():
    """Inputs, parameters and outputs of the operations the layers are made of."""
    tensors = Tensors()
    source = torch.Generator("cpu").manual_seed(77)

    def random(name, *shape):
        value = torch.randn(shape, generator=source)
        tensors.add(name, value)
        return value

    x = random("group_norm.input", 12, 5, 7) * 1.0
    weight, bias = random("group_norm.weight", 12), random("group_norm.bias", 12)
    tensors.add("group_norm.output", functional.group_norm(x[None], 4, weight, bias, eps=1e-6)[0])

    x = random("conv.input", 5, 9, 12)
    weight, bias = random("conv.weight", 7, 5, 3, 3), random("conv.bias", 7)
    tensors.add("conv.stride1.output", functional.conv2d(x[None], weight, bias, padding=1)[0])
    padded = functional.pad(x[None], (0, 1, 0, 1))
    tensors.add("conv.stride2.output", functional.conv2d(padded, weight, bias, stride=2)[0])
    pointwise = random("conv.pointwise.weight", 7, 5, 1, 1)
    tensors.add("conv.pointwise.output", functional.conv2d(x[None], pointwise, bias)[0])

    x = random("upsample.input", 3, 4, 5)
    upsampled = functional.interpolate(x[None], scale_factor=2.0, mode="nearest")
    tensors.add("upsample.output", upsampled[0])

    x = 4 * random("silu.input", 6, 33)
    tensors.values["silu.input"] = x
    tensors.add("silu.output", functional.silu(x))

    for name, heads, groups, causal in [("causal", 6, 2, True), ("full", 3, 3, False)]:
        query = random(f"attention.{name}.query", heads, 21, 16)
        key = random(f"attention.{name}.key", groups, 21, 16)
        value = random(f"attention.{name}.value", groups, 21, 16)
        output = functional.scaled_dot_product_attention(
            query[None], key[None], value[None], is_causal=causal, enable_gqa=True
        )
        tensors.add(f"attention.{name}.output", output[0])

    x = random("norm.input", 6, 40)
    weight = random("norm.weight", 40)
    tensors.add("rms_norm.output", functional.rms_norm(x, [40], weight, eps=1e-5))
    tensors.add("layer_norm.output", functional.layer_norm(x, [40], eps=1e-6))

    x = random("linear.input", 6, 40)
    weight, bias = random("linear.weight", 24, 40), random("linear.bias", 24)
    tensors.add("linear.output", functional.linear(x, weight, bias))
    return tensors
