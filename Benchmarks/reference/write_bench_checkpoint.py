"""Writes the benchmark checkpoint: Z-Image's real widths, few layers, random weights.

    python Benchmarks/reference/write_bench_checkpoint.py --out DIR [--dtype bfloat16]

The transformer has the published width and 4 + 2 + 2 of its blocks, the text encoder 4 of
Qwen3-4B's layers with the model in the box's vocabulary, the VAE is the published one's shape.
About 3.9 GB in bf16. Weights are drawn tensor by tensor and written shard by shard, so 2.6 GB of
memory suffice.
"""

import argparse
import json
import pathlib
import shutil
import sys

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, ZImageTransformer2DModel
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3Model

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Golden"))
from random_weights import values  # noqa: E402

SEED = 7001
SHARD_BYTES = 1 << 30
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

TEXT_ENCODER = {
    "vocab_size": 3072,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 4,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
    "tie_word_embeddings": True,
}
TRANSFORMER = {
    "in_channels": 16,
    "dim": 3840,
    "n_layers": 4,
    "n_refiner_layers": 2,
    "n_heads": 30,
    "n_kv_heads": 30,
    "cap_feat_dim": 2560,
    "axes_dims": [32, 48, 48],
    "axes_lens": [1536, 512, 512],
}
VAE = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 16,
    "norm_num_groups": 32,
    "sample_size": 1024,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "force_upcast": True,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}


def write_weights(model, part, folder, stem, dtype):
    """Writes random weights for the parameters of `model`, which may be without storage."""
    width = torch.empty(0, dtype=dtype).element_size()
    shards = [[]]
    room = SHARD_BYTES
    for name, parameter in model.named_parameters():
        size = parameter.numel() * width
        if size > room and shards[-1]:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append((name, tuple(parameter.shape)))
        room -= size
    weight_map = {}
    for index, shard in enumerate(shards):
        suffix = f"-{index + 1:05d}-of-{len(shards):05d}" if len(shards) > 1 else ""
        file = f"{stem}{suffix}.safetensors"
        tensors = {name: values(SEED, f"{part}.{name}", shape).to(dtype) for name, shape in shard}
        save_file(tensors, folder / file, metadata={"format": "pt"})
        weight_map |= {name: file for name in tensors}
        print(f"{part}: {file}", file=sys.stderr)
    if len(shards) > 1:
        total = sum(parameter.numel() for parameter in model.parameters()) * width
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2))


def write_part(output, part, model, dtype):
    folder = output / part
    folder.mkdir()
    if part == "text_encoder":
        model.config.architectures = ["Qwen3Model"]
        model.config.dtype = dtype
        model.config.save_pretrained(folder)
        write_weights(model, part, folder, "model", dtype)
    else:
        model.save_config(folder)
        write_weights(model, part, folder, "diffusion_pytorch_model", dtype)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    dtype = DTYPES[options.dtype]
    shutil.copytree(ROOT / "Models" / "emoji" / "tokenizer", options.out / "tokenizer")
    FlowMatchEulerDiscreteScheduler(shift=3.0).save_config(options.out / "scheduler")
    with torch.device("meta"):
        models = {
            "text_encoder": Qwen3Model(Qwen3Config(**TEXT_ENCODER)),
            "transformer": ZImageTransformer2DModel(**TRANSFORMER),
            "vae": AutoencoderKL(**VAE),
        }
    for part, model in models.items():
        write_part(options.out, part, model, dtype)
    index = {
        "_class_name": "ZImagePipeline",
        "_diffusers_version": "0.42.1",
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "Qwen3Model"],
        "tokenizer": ["transformers", "Qwen2Tokenizer"],
        "transformer": ["diffusers", "ZImageTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (options.out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    main()
