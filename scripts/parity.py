"""Compares our images with those of diffusers on checkpoints of random shapes.

    python scripts/parity.py --turbine .build/release/turbine [--count 10] [--first-seed 1]

Each seed gives a checkpoint and a run that suits it (`Tests/Golden/make_random_checkpoint.py`); the
command line makes the image without pruning and tiling, and `Tests/Golden/compare_live.py` holds it
against the reference's. Prints a table; exits with 1 when an image differs by more than a level
anywhere, or by more than 0.01 levels on average.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import types

import numpy
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Golden"))

import compare_live  # noqa: E402
import make_random_checkpoint  # noqa: E402


def generate(turbine, model, run, image):
    """Runs our command line; `run` has its options' names."""
    command = [turbine, "generate", "--model", model, "--output", image]
    for name, value in run.items():
        command += [f"--{name}", value if isinstance(value, str) else repr(value)]
    command += ["--no-prune", "--tile", "off"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with Image.open(image) as picture:
        return numpy.asarray(picture.convert("RGB")).astype(int)


def reference(model, run):
    defaults = {"negative-prompt": None, "cfg-normalization": 0.0, "cfg-truncation": 1.0}
    fields = defaults | run | {"model": model, "save": None}
    names = {name.replace("-", "_"): value for name, value in fields.items()}
    return compare_live.reference_image(types.SimpleNamespace(**names))


def compare(turbine, seed, folder):
    """One line of the table, and whether the images are equal."""
    spec = make_random_checkpoint.random_spec(seed)
    run = make_random_checkpoint.random_run(spec)
    model = str(folder / spec.name)
    make_random_checkpoint.write(spec, pathlib.Path(model))
    ours = generate(turbine, model, run, f"{model}.png")
    difference = numpy.abs(ours - reference(model, run))
    largest, mean = int(difference.max()), float(difference.mean())
    equal = largest <= compare_live.LARGEST_LEVELS and mean <= compare_live.MEAN_LEVELS
    shape = f"{run['width']}x{run['height']}, {run['steps']} steps"
    dtype = str(spec.dtype).removeprefix("torch.")
    verdict = "equal" if equal else "DIFFERENT"
    line = f"{seed:>6}  {dtype:<9} {shape:<20} {run['guidance']:>8.3f} {largest:>8} {mean:>9.5f}"
    return f"{line}  {verdict}", equal


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turbine", required=True)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    compare_live.diffusers_logging.set_verbosity_error()
    compare_live.diffusers_logging.disable_progress_bar()
    compare_live.transformers_logging.set_verbosity_error()
    compare_live.transformers_logging.disable_progress_bar()
    torch.set_num_threads(2)
    print("  seed  weights   image                guidance  largest      mean", flush=True)
    seeds = range(options.first_seed, options.first_seed + options.count)
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            try:
                line, equal = compare(options.turbine, seed, pathlib.Path(folder))
            except subprocess.CalledProcessError:
                line, equal = f"{seed:>6}  turbine failed", False
            print(line, flush=True)
            if not equal:
                failures.append(seed)
    print(f"{len(seeds) - len(failures)} of {len(seeds)} equal")
    if failures:
        print(f"seeds that differ: {failures}")
        sys.exit(1)


if __name__ == "__main__":
    main()
