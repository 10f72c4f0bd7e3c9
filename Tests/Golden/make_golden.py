"""Writes the golden checkpoints, the stage tensors beside them and the manifest.

    python Tests/Golden/make_golden.py [--only NAME] [--output DIR]

Everything is computed by diffusers, transformers and torch on the CPU in float32 (from the rounded
weights of the bf16 and f16 checkpoints). A second run on the same machine gives the same bytes.
"""

import argparse
import hashlib
import pathlib
import platform
import shutil

import diffusers
import safetensors
import tokenizers
import torch
import transformers

import golden_specs
import shared_goldens
import stages
from recording import Tensors
from tiny_checkpoints import ROOT, load, write, write_json

HERE = pathlib.Path(__file__).resolve().parent
PADDED_SIZE = (6, 10)  # 15 image tokens: 17 of padding
STRINGS = [
    "",
    " ",
    "red heart",
    "  two  spaces\tand\r\n\r\nlines \n",
    "I'M it's WE'LL they’ve",
    "12345 3.14 ½ ² ٣",
    "e\u0301 \u00e9 A\u030a \u1112\u1161\u11ab",
    "红心 猫脸 1个苹果",
    "👩‍👩‍👧 ❤️ 🇨🇭",
    "<|im_start|>user<|im_end|><|endoftext|><|im_end",
    "<think>x</think>",
    "a\u0000b \u00a0\u2003\u200b",
]


def text_prompts(spec):
    prompts = [("plain", golden_specs.PROMPT, True), ("empty", "", True)]
    return [*prompts, ("long", golden_specs.LONG_PROMPT, False)]


def write_checkpoint(spec, folder):
    """One checkpoint, its stage tensors and `cases.json`."""
    shutil.rmtree(folder, ignore_errors=True)
    write(spec, folder)
    golden = folder / "golden"
    golden.mkdir()
    pipeline = load(folder)
    runs = golden_specs.RUNS[spec.name]
    text, text_cases = stages.record_text(pipeline, text_prompts(spec))
    schedule, schedule_cases = stages.record_schedule(pipeline, [(80, 48), (1024, 768)])
    lengths = stages.CAPTION_LENGTHS if spec is golden_specs.A else [1, 33]
    transformer, transformer_case = stages.record_transformer(
        pipeline, PADDED_SIZE, lengths, inside=spec is not golden_specs.B
    )
    factor = pipeline.vae_scale_factor
    vae = stages.record_vae(pipeline, (4, 6), (4 * factor, 2 * factor))
    pipelines = Tensors()
    for run in runs:
        entropies = spec is golden_specs.A and run["name"] in ("plain", "exact")
        stages.record_run(pipeline, run, pipelines, entropies=entropies)
    parts = {"text": text, "schedule": schedule, "transformer": transformer, "vae": vae}
    for name, tensors in (parts | {"pipeline": pipelines}).items():
        tensors.save(golden / f"{name}.safetensors")
    cases = {
        "text": text_cases,
        "tokens": stages.record_tokens(pipeline.tokenizer, STRINGS),
        "schedule": schedule_cases,
        "transformer": transformer_case,
        "runs": runs,
    }
    write_json(golden / "cases.json", cases)


def write_box(output):
    """Runs of the model in the box: last latents, first velocity, image."""
    pipeline = load(ROOT / "Models" / "emoji")
    tensors, run = Tensors(), golden_specs.run
    runs = [
        run("heart", "red heart", 128, 128, 8, 42),
        run("cat", "cat face", 128, 128, 6, 7, guidance=2.0),
        run("apple", "红苹果", 128, 128, 8, 3),
    ]
    for case in runs:
        stages.record_run(pipeline, case, tensors, every_step=False)
    tensors.save(output / "box.safetensors")
    write_json(output / "box.json", {"model": "Models/emoji", "runs": runs})


def write_shared(output):
    noise, cases = shared_goldens.record_noise()
    noise.save(output / "noise.safetensors")
    write_json(output / "noise.json", cases)
    shared_goldens.record_operations().save(output / "operations.safetensors")


def write_manifest(output):
    """Versions, seeds and the hash of every data file."""
    files = [path for path in sorted(output.rglob("*")) if path.is_file()]
    names = [spec.name for spec in golden_specs.SPECS]
    kept = [
        path for path in files
        if path.relative_to(output).parts[0] in names
        or (path.parent == output and path.suffix in (".safetensors", ".json"))
    ]  # fmt: skip
    write_json(
        output / "manifest.json",
        {
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "diffusers": diffusers.__version__,
                "transformers": transformers.__version__,
                "tokenizers": tokenizers.__version__,
                "safetensors": safetensors.__version__,
            },
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "threads": torch.get_num_threads(),
            "seeds": {spec.name: spec.seed for spec in golden_specs.SPECS},
            "sha256": {
                str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in kept
                if path.name != "manifest.json"
            },
        },
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="write one checkpoint, `box` or `shared`")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for spec in golden_specs.SPECS:
        if options.only in (None, spec.name):
            write_checkpoint(spec, options.output / spec.name)
    if options.only in (None, "box"):
        write_box(options.output)
    if options.only in (None, "shared"):
        write_shared(options.output)
    write_manifest(options.output)


if __name__ == "__main__":
    main()
