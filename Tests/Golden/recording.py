"""Forward hooks and the tensor store behind the golden files."""

import contextlib

import torch
from diffusers.models.transformers import transformer_z_image
from safetensors.torch import save_file


class Tensors:
    """Named tensors of one golden file, checked and saved the same way every time."""

    def __init__(self):
        self.values = {}

    def add(self, name, tensor):
        """Stores a copy as float32 (bytes stay bytes); refuses what cannot be compared."""
        assert name not in self.values, name
        tensor = tensor.detach().clone().contiguous()
        if tensor.dtype != torch.uint8:
            tensor = tensor.float()
            assert torch.isfinite(tensor).all(), name
        self.values[name] = tensor

    def save(self, path):
        save_file(dict(sorted(self.values.items())), path)


@contextlib.contextmanager
def outputs(model, names):
    """Collects the outputs of the named submodules of `model`: name -> list of tensors."""
    collected = {name: [] for name in names}
    handles = []
    for name in names:

        def keep(module, arguments, output, name=name):
            output = output[0] if isinstance(output, tuple) else output
            collected[name].append(output.detach().clone())

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    try:
        yield collected
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def inputs(model, names):
    """Collects the first argument of the named submodules of `model`: name -> list of tensors."""
    collected = {name: [] for name in names}
    handles = []
    for name in names:

        def keep(module, arguments, name=name):
            collected[name].append(arguments[0].detach().clone())

        handles.append(model.get_submodule(name).register_forward_pre_hook(keep))
    try:
        yield collected
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def attention_operands(transformer):
    """Collects (block name, query, key) of every attention call, after norm and rotation.

    Query and key have the shape [batch, tokens, heads, head_dim].
    """
    calls = []
    names = []
    handles = []
    original = transformer_z_image.dispatch_attention_fn
    for name, module in transformer.named_modules():
        if name.endswith(".attention"):

            def enter(module, arguments, keywords, name=name):
                names.append(name.removesuffix(".attention"))

            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))

    def dispatch(query, key, value, **options):
        calls.append((names[-1], query.detach().clone(), key.detach().clone()))
        return original(query, key, value, **options)

    transformer_z_image.dispatch_attention_fn = dispatch
    try:
        yield calls
    finally:
        transformer_z_image.dispatch_attention_fn = original
        for handle in handles:
            handle.remove()


def head_entropies(query, key):
    """Mean over the queries of -sum p ln p of each head's attention weights, in nats.

    `query` and `key` are [tokens, heads, head_dim]; the softmax is computed in float64.
    """
    query = query.double().transpose(0, 1)
    key = key.double().transpose(0, 1)
    logits = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
    logarithms = torch.log_softmax(logits, dim=-1)
    return -(logarithms.exp() * logarithms).sum(-1).mean(-1)
