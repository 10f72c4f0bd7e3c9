"""Writes tiny random Z-Image checkpoints as complete diffusers folders.

A `Spec` says what a checkpoint is made of; `write` turns it into a folder that
`ZImagePipeline.from_pretrained` loads. The fixed specs of the golden data are in `golden_specs.py`,
random ones in `make_random_checkpoint.py`.
"""

import copy
import dataclasses
import json
import pathlib
import shutil

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM, Qwen3Model

from random_weights import randomize, sharpen

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE_TOKENIZER = ROOT / "Models" / "emoji" / "tokenizer"
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@dataclasses.dataclass
class Spec:
    """One checkpoint: the configs' arguments and the style of its files."""

    name: str
    seed: int
    dtype: torch.dtype
    merges: int
    text_encoder: dict
    transformer: dict
    vae: dict
    scheduler: dict
    # Heads made sharp: block name ("layers.0") -> head indices.
    sharp_heads: dict = dataclasses.field(default_factory=dict)
    # Largest shard ("300KB"), or None for single files.
    max_shard_size: str | None = None
    # The same for a published text encoder.
    text_shard_size: str | None = None
    # Published style: keys with the prefix "model.", a top-level rope_theta, torch_dtype.
    published_text_encoder: bool = False
    # vocab.json + merges.txt, instead of tokenizer.json.
    vocabulary_files: bool = False
    # An added token that is not special, as the published tokenizer has several.
    extra_token: str | None = None
    # Config keys left out, because they equal the class's default: folder -> names.
    omitted_keys: dict = dataclasses.field(default_factory=dict)


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path, value):
    text = json.dumps(value, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def added_token(content, special):
    return {
        "content": content,
        "lstrip": False,
        "normalized": False,
        "rstrip": False,
        "single_word": False,
        "special": special,
    }


def write_tokenizer(spec, folder):
    """Cuts the model in the box's tokenizer to its bytes and first `spec.merges` merges."""
    full = read_json(BASE_TOKENIZER / "tokenizer.json")
    by_id = sorted(full["model"]["vocab"].items(), key=lambda entry: entry[1])
    count = 256 + spec.merges
    vocabulary = {token: index for token, index in by_id[:count]}
    merges = full["model"]["merges"][: spec.merges]
    tokens = [added_token(content, True) for content in SPECIAL_TOKENS]
    if spec.extra_token:
        tokens.append(added_token(spec.extra_token, False))
    added = {str(count + index): token for index, token in enumerate(tokens)}
    folder.mkdir(parents=True)
    lines = ["#version: 0.2"] + [" ".join(merge) for merge in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_prefix_space": False,
            "added_tokens_decoder": added,
            "additional_special_tokens": SPECIAL_TOKENS[1:],
            "bos_token": None,
            "chat_template": (BASE_TOKENIZER / "chat_template.jinja").read_text(encoding="utf-8"),
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "model_max_length": 131072,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
    )


def make_text_encoder(spec):
    config = Qwen3Config(**spec.text_encoder)
    model = (Qwen3ForCausalLM if spec.published_text_encoder else Qwen3Model)(config)
    base = model.model if spec.published_text_encoder else model
    randomize(base, spec.seed, "text_encoder")
    return model.to(spec.dtype).eval()


def make_transformer(spec):
    model = ZImageTransformer2DModel(**spec.transformer)
    randomize(model, spec.seed, "transformer")
    for name, heads in spec.sharp_heads.items():
        sharpen(model.get_submodule(name).attention, heads, spec.transformer["axes_dims"])
    return model.to(spec.dtype).eval()


def make_vae(spec):
    model = AutoencoderKL(**spec.vae)
    randomize(model, spec.seed, "vae")
    return model.to(spec.dtype).eval()


def tidy_configs(spec, folder):
    """Removes paths from the configs and the keys the spec leaves to their defaults."""
    for path in sorted(folder.rglob("*.json")):
        if path.name not in ("config.json", "scheduler_config.json", "model_index.json"):
            continue
        config = read_json(path)
        config.pop("_name_or_path", None)
        for key in spec.omitted_keys.get(path.parent.name, []):
            config.pop(key)
        write_json(path, config)
    if spec.published_text_encoder:
        path = folder / "text_encoder" / "config.json"
        config = read_json(path)
        config["rope_theta"] = int(config.pop("rope_parameters")["rope_theta"])
        config["rope_scaling"] = None
        config["torch_dtype"] = config.pop("dtype")
        config.pop("layer_types")
        config["transformers_version"] = "4.51.0"
        write_json(path, config)


def write(spec, folder):
    """Writes the checkpoint of `spec` to `folder`, which must not exist."""
    folder = pathlib.Path(folder)
    staging = folder.parent / (folder.name + ".tokenizer")
    shutil.rmtree(staging, ignore_errors=True)
    write_tokenizer(spec, staging)
    tokenizer = Qwen2Tokenizer.from_pretrained(staging)
    text_encoder = make_text_encoder(spec)
    # The scheduler's constructor drops nothing, so the arguments are the config.
    pipeline = ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**copy.deepcopy(spec.scheduler)),
        vae=make_vae(spec),
        text_encoder=text_encoder.model if spec.published_text_encoder else text_encoder,
        tokenizer=tokenizer,
        transformer=make_transformer(spec),
    )
    shards = {"max_shard_size": spec.max_shard_size} if spec.max_shard_size else {}
    pipeline.save_pretrained(folder, safe_serialization=True, **shards)
    if spec.published_text_encoder:
        shutil.rmtree(folder / "text_encoder")
        text_shards = {"max_shard_size": spec.text_shard_size} if spec.text_shard_size else {}
        text_encoder.save_pretrained(folder / "text_encoder", **text_shards)
        (folder / "text_encoder" / "generation_config.json").unlink(missing_ok=True)
    if spec.vocabulary_files:
        shutil.rmtree(folder / "tokenizer")
        shutil.move(staging, folder / "tokenizer")
    shutil.rmtree(staging, ignore_errors=True)
    tidy_configs(spec, folder)


def load(folder, dtype=torch.float32):
    """The reference pipeline of a checkpoint, weights widened to `dtype`."""
    pipeline = ZImagePipeline.from_pretrained(
        folder, dtype=dtype, local_files_only=True, low_cpu_mem_usage=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
