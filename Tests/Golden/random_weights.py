"""Random weights for tiny Z-Image models in which every term of the formulas matters.

Freshly constructed models are useless for parity: norm weights are one, pad tokens zero, biases
tiny. Here each parameter gets values that keep activations near one and make an omitted or
exchanged term visible. A parameter's values depend on the seed and on its name only, so adding a
layer does not change the others.
"""

import hashlib
import re

import torch

# Gain of a weight matrix relative to 1/sqrt(fan in); the first match counts.
GAINS = [
    (r"t_embedder\.mlp\.0\.weight", 1.4),
    (r"t_embedder\.mlp\.2\.weight", 1.6),
    (r"adaLN_modulation\.\d\.weight", 0.5),
    (r"(o_proj|down_proj)\.weight", 0.8),
    (r"decoder\.conv_out\.weight", 0.7),
    (r"downsamplers\.0\.conv\.weight|upsamplers\.0\.conv\.weight", 1.2),
]


def generator(seed, name):
    """A generator that belongs to one parameter of one checkpoint."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:4], "little"))


def values(seed, name, shape):
    """Values of the parameter `name`: matrices scaled by fan in, norms around one, biases 0.2."""
    source = generator(seed, name)
    normal = torch.randn(shape, generator=source)
    if name.endswith("pad_token"):
        return normal
    if re.search(r"(norm_q|norm_k|q_norm|k_norm)\.weight$", name):
        return 0.7 + 0.9 * torch.rand(shape, generator=source)
    if len(shape) == 1:
        return 0.2 * normal if name.endswith("bias") else (1 + 0.25 * normal).clamp(0.3, 2.0)
    if name.endswith("embed_tokens.weight"):
        return 0.8 * normal
    fan_in = normal[0].numel()
    gain = next((gain for pattern, gain in GAINS if re.search(pattern, name)), 1.0)
    return normal * (gain / fan_in**0.5)


@torch.no_grad()
def randomize(model, seed, prefix):
    """Fills every parameter of `model`; `prefix` tells equal names of two models apart."""
    for name, parameter in model.named_parameters():
        parameter.copy_(values(seed, f"{prefix}.{name}", parameter.shape))


@torch.no_grad()
def sharpen(attention, sharp_heads, axes_dims, strength=13.0):
    """Makes each of `sharp_heads` attend to the query's own position, the others nearly uniform.

    Random sharp heads would amplify rounding; these do not. A sharp head's queries and keys are one
    fixed vector times a number, so after the q/k norm only the rotation tells tokens apart, and the
    own position wins by several nats. Tokens that share a position (image padding) share the
    weight.

    The norm weights belong to all heads, so the channels are split: the first axis and the fastest
    pair of each other axis for the sharp heads, with large norm weights; the rest for the others.
    """
    head_dim = sum(axes_dims)
    starts = [sum(axes_dims[:axis]) for axis in range(len(axes_dims))]
    sharp = torch.zeros(head_dim, dtype=torch.bool)
    sharp[: axes_dims[0]] = True
    for start in starts[1:]:
        sharp[start : start + 2] = True
    for norm in (attention.norm_q, attention.norm_k):
        norm.weight[sharp] = strength
    direction = attention.to_q.weight[0].clone()
    for linear in (attention.to_q, attention.to_k):
        for head in range(attention.heads):
            rows = linear.weight[head * head_dim : (head + 1) * head_dim]
            if head in sharp_heads:
                rows[sharp] = direction
                rows[~sharp] = 0.02 * direction
            else:
                rows[sharp] *= 0.02
