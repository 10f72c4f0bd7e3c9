"""Writes a tiny checkpoint of a random legal shape, to try parity on shapes nobody chose.

    python Tests/Golden/make_random_checkpoint.py --seed N --out DIR

Prints a run that suits the checkpoint as JSON, with the names `compare_live.py` takes.
"""

import argparse
import json
import pathlib
import random
import shutil

import torch

from golden_specs import text_encoder, vae
from tiny_checkpoints import Spec, write

PROMPTS = ["", "red heart", "猫脸, 一个红苹果 🍎", "  a\tcat\r\n\r\nface 12345 <think>", "x " * 700]


def random_text_encoder(source, vocabulary):
    groups = source.choice([1, 2, 3])
    return text_encoder(
        vocab_size=vocabulary + source.choice([0, 1, 77]),
        hidden_size=source.randrange(9, 72),
        intermediate_size=source.randrange(9, 120),
        num_hidden_layers=source.choice([1, 2, 3, 5]),
        num_attention_heads=groups * source.choice([1, 2, 3]),
        num_key_value_heads=groups,
        head_dim=2 * source.randrange(2, 17),
        attention_bias=source.random() < 0.3,
        tie_word_embeddings=source.random() < 0.7,
        rms_norm_eps=source.choice([1e-6, 1e-5]),
        rope_parameters={
            "rope_type": "default",
            "rope_theta": source.choice([10000.0, 500000.0, 1000000.0]),
        },
    )


def random_transformer(source, caption_width, channels):
    axes = [2 * source.randrange(1, 6) for _ in range(3)]
    heads = source.choice([1, 2, 3, 5])
    # The width needs no even split: diffusers takes dim // heads channels a head.
    width = heads * sum(axes) + source.choice([0, 0, 0, heads - 1])
    return {
        "in_channels": channels,
        "dim": width,
        "n_layers": source.choice([1, 2, 3]),
        "n_refiner_layers": source.choice([0, 1, 2]),
        "n_heads": heads,
        "n_kv_heads": heads,
        "norm_eps": source.choice([1e-5, 1e-6, 1e-4]),
        "qk_norm": source.random() < 0.8,
        "cap_feat_dim": caption_width,
        "rope_theta": source.choice([256.0, 100.0, 10000.0]),
        "t_scale": source.choice([1000.0, 100.0]),
        "axes_dims": axes,
        "axes_lens": [source.choice([600, 1024, 1536]), 64, 80],
    }


def random_vae(source, channels):
    groups = source.choice([1, 2, 4])
    levels = source.choice([1, 2, 3, 4, 4, 4])
    widths = sorted(groups * source.randrange(1, 9) for _ in range(levels))
    return vae(
        widths,
        latent_channels=channels,
        norm_num_groups=groups,
        layers_per_block=source.choice([1, 2]),
        use_quant_conv=source.random() < 0.3,
        use_post_quant_conv=source.random() < 0.3,
        mid_block_add_attention=source.random() < 0.7,
        scaling_factor=source.uniform(0.2, 1.2),
        shift_factor=source.uniform(-0.3, 0.3),
    )


def random_scheduler(source):
    return {
        "shift": source.choice([1.0, 3.0, source.uniform(0.5, 6.0)]),
        "use_dynamic_shifting": source.random() < 0.5,
        "time_shift_type": source.choice(["exponential", "linear"]),
        "base_shift": source.uniform(0.3, 0.7),
        "max_shift": source.uniform(0.8, 1.5),
        "shift_terminal": source.choice([None, None, 0.1]),
    }


def random_spec(seed):
    source = random.Random(seed)
    merges = source.choice([0, 100, 700, 1500])
    extra = source.choice([None, "<think>"])
    vocabulary = 256 + merges + 3 + (extra is not None)
    text = random_text_encoder(source, vocabulary)
    channels = source.randrange(1, 17)
    sharded = source.random() < 0.4
    return Spec(
        name=f"random-{seed}",
        seed=seed,
        dtype=source.choice([torch.float32, torch.bfloat16, torch.float16]),
        merges=merges,
        text_encoder=text,
        transformer=random_transformer(source, text["hidden_size"], channels),
        vae=random_vae(source, channels),
        scheduler=random_scheduler(source),
        max_shard_size="300KB" if sharded else None,
        text_shard_size="50KB" if sharded else None,
        published_text_encoder=source.random() < 0.5,
        vocabulary_files=source.random() < 0.3,
        extra_token=extra,
    )


def random_run(spec):
    """Parameters of a run within the checkpoint's limits."""
    source = random.Random(spec.seed + 1)
    multiple = 2 ** len(spec.vae["block_out_channels"])
    guided = source.random() < 0.5
    run = {
        "prompt": source.choice(PROMPTS),
        "width": multiple * source.randrange(1, 10),
        "height": multiple * source.randrange(1, 10),
        # One step and shift_terminal make the reference divide by zero.
        "steps": source.choice([2, 3, 5]),
        "seed": source.choice([0, 42, 2**40 + 3]),
        "guidance": source.uniform(0.5, 8) if guided else 0.0,
    }
    if guided:
        run["negative-prompt"] = source.choice(["blurry", "", "low quality, 模糊"])
        run["cfg-normalization"] = source.choice([0.0, 0.7, 1.0])
        run["cfg-truncation"] = source.choice([1.0, 0.4])
    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    spec = random_spec(options.seed)
    write(spec, options.out)
    print(json.dumps(random_run(spec), ensure_ascii=False))


if __name__ == "__main__":
    main()
