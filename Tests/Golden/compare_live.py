"""Runs diffusers in float32 on a checkpoint and compares its image with a PNG the engine wrote.

    python Tests/Golden/compare_live.py --model DIR --prompt TEXT --width W --height H --steps N \\
        --guidance G --seed S --image FILE.png

Prints the largest and the mean difference in levels; exits with 1 if the largest exceeds 1, the
mean exceeds 0.01 or the sizes differ. `--save FILE.png` keeps the reference's image.
"""

import argparse
import json
import sys

import numpy
import torch
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging

from stages import noise_and_generators, pipeline_arguments
from tiny_checkpoints import load

LARGEST_LEVELS = 1
MEAN_LEVELS = 0.01


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--negative-prompt")
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--guidance", type=float, default=0.0)
    parser.add_argument("--cfg-normalization", type=float, default=0.0, help="0 is off")
    parser.add_argument("--cfg-truncation", type=float, default=1.0)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--image", required=True, help="the engine's PNG")
    parser.add_argument("--save", help="write the reference's image here")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def reference_image(options):
    """The reference's image [height, width, 3], as levels."""
    pipeline = load(options.model)
    run = vars(options) | {"count": 1}
    _, generators = noise_and_generators(pipeline, run)
    arguments = pipeline_arguments(run)
    image = pipeline(**arguments, generator=generators, output_type="pil").images[0]
    if options.save:
        image.save(options.save)
    return numpy.asarray(image.convert("RGB")).astype(int)


def main():
    options = parse_arguments()
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    with Image.open(options.image) as picture:
        ours = numpy.asarray(picture.convert("RGB")).astype(int)
    reference = reference_image(options)
    if ours.shape != reference.shape:
        print(f"sizes differ: image {ours.shape}, reference {reference.shape}")
        sys.exit(1)
    difference = numpy.abs(ours - reference)
    largest, mean = int(difference.max()), float(difference.mean())
    equal = largest <= LARGEST_LEVELS and mean <= MEAN_LEVELS
    result = {"largest": largest, "mean": round(mean, 6), "different": int((difference > 0).sum())}
    print(json.dumps(result | {"values": int(difference.size), "equal": equal}))
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
