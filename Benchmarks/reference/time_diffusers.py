"""Times diffusers on the CPU: text encoding, a denoising step, VAE decoding.

    python Benchmarks/reference/time_diffusers.py --model DIR --width 512 --height 512 --steps 2 \\
        --dtype float32 --threads 2 [--json]

Each stage is timed by itself after one untimed run of the same size. The pipeline pads prompts to
512 tokens; the time without that padding is given too.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from diffusers import ZImagePipeline
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PROMPT = "a red heart on a wooden table beside a cat face, soft morning light, detailed, 猫"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--steps", type=int, default=2, help="timed steps")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def timed(work, repeats=1):
    """The last result of `work` and the median of its seconds, after one untimed call."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, statistics.median(seconds)


@torch.no_grad()
def encode_unpadded(pipeline, prompt):
    """The prompt's embeddings computed on its own tokens only."""
    text = pipeline.tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=True,
    )
    ids = pipeline.tokenizer(text, return_tensors="pt").input_ids
    states = pipeline.text_encoder(input_ids=ids, output_hidden_states=True, use_cache=False)
    return states.hidden_states[-2]


def step_seconds(pipeline, embeddings, options):
    """Latents and the seconds of each step but the first, without guidance."""
    stamps = []

    def stamp(pipeline, index, timestep, values):
        stamps.append(time.perf_counter())
        return {}

    latents = pipeline(
        prompt_embeds=embeddings,
        width=options.width,
        height=options.height,
        num_inference_steps=options.steps + 1,
        guidance_scale=0.0,
        generator=torch.Generator("cpu").manual_seed(0),
        output_type="latent",
        callback_on_step_end=stamp,
    ).images
    return latents, [after - before for before, after in zip(stamps, stamps[1:])]


@torch.no_grad()
def measure(options):
    start = time.perf_counter()
    pipeline = ZImagePipeline.from_pretrained(
        options.model, dtype=DTYPES[options.dtype], local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    load_seconds = time.perf_counter() - start
    embeddings, text_seconds = timed(
        lambda: pipeline.encode_prompt(options.prompt, do_classifier_free_guidance=False)[0]
    )
    _, unpadded_seconds = timed(lambda: encode_unpadded(pipeline, options.prompt), repeats=3)
    latents, steps = step_seconds(pipeline, embeddings, options)
    scaled = latents / pipeline.vae.config.scaling_factor + pipeline.vae.config.shift_factor
    scaled = scaled.to(pipeline.vae.dtype)
    image, decode_seconds = timed(lambda: pipeline.vae.decode(scaled, return_dict=False)[0])
    assert torch.isfinite(image).all()
    return {
        "dtype": options.dtype,
        "threads": options.threads,
        "width": options.width,
        "height": options.height,
        "caption_tokens": embeddings[0].shape[0],
        "load_seconds": load_seconds,
        "text_seconds": text_seconds,
        "text_unpadded_seconds": unpadded_seconds,
        "step_seconds": statistics.median(steps),
        "decode_seconds": decode_seconds,
        "peak_rss_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "image_standard_deviation": image.float().std().item(),
        "torch": torch.__version__,
    }


def main():
    options = parse_arguments()
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    result = measure(options)
    result = {key: round(v, 4) if isinstance(v, float) else v for key, v in result.items()}
    if options.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key:26} {value}")


if __name__ == "__main__":
    main()
