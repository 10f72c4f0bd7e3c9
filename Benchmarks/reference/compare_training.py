"""Times training steps of the trainer beside PyTorch's, same architecture and batch, in turn.

    python Benchmarks/reference/compare_training.py --data DIR --base DIR [--rounds 3]

`--data` and `--base` are what `turbine train teacher` takes: a data set, and a folder with
tokenizer and vae. Both sides run forward, backward and AdamW in float32; the work of a step is
counted once, by PyTorch's counter, so that GFLOP/s mean the same on both sides. Prints medians and
ratios.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
from diffusers import ZImageTransformer2DModel
from torch.utils.flop_counter import FlopCounterMode
from transformers import Qwen3Config, Qwen3Model

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTION_TOKENS = 14


def trainer_seconds(arguments, recipe, steps):
    """Seconds a step of `turbine train teacher`, as its log has them."""
    recipe = dict(recipe, steps=steps, log_every=1, checkpoint_every=10**6, sample_every=10**6)
    recipe["optimizer"] = dict(recipe["optimizer"], matrix_rate=0, warm_up=1)
    recipe["samples"] = {"prompts": []}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "recipe.json").write_text(json.dumps(recipe))
        subprocess.run(
            [
                ROOT / ".build/release/turbine", "train", "teacher", "--recipe",
                folder / "recipe.json", "--data", arguments.data, "--base", arguments.base,
                "--run", folder / "run", "--output", folder / "model", "--threads",
                str(arguments.threads),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with open(folder / "run" / "log.csv") as file:
            rows = list(csv.DictReader(file))
    # The log's column is a running average: the last row covers the steps before it.
    return float(rows[-1]["seconds"])


class TorchTraining:
    def __init__(self, recipe, latent_size):
        text = {k: v for k, v in recipe["text_encoder"].items() if v is not None}
        denoiser = {k: v for k, v in recipe["transformer"].items() if v is not None}
        self.text = Qwen3Model(Qwen3Config(**text)).float().train()
        self.model = ZImageTransformer2DModel(**denoiser).float().train()
        self.batch = recipe["batch"]
        self.shape = (denoiser["in_channels"], 1, latent_size, latent_size)
        self.vocabulary = text["vocab_size"]
        parameters = list(self.text.parameters()) + list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(parameters, lr=1e-5, betas=(0.9, 0.99))

    def step(self):
        ids = torch.randint(0, self.vocabulary, (self.batch, CAPTION_TOKENS))
        latents = [torch.randn(self.shape) for _ in range(self.batch)]
        targets = torch.stack([torch.randn(self.shape) for _ in range(self.batch)])
        captions = list(self.text(ids, output_hidden_states=True).hidden_states[-2])
        outputs = self.model(latents, torch.rand(self.batch), captions, return_dict=False)[0]
        loss = (torch.stack(list(outputs)) - targets).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def seconds(self, steps):
        times = []
        for _ in range(steps):
            start = time.perf_counter()
            self.step()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    def work(self):
        """Floating point operations of a step's products."""
        counter = FlopCounterMode(display=False)
        with counter:
            self.step()
        return counter.get_total_flops()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--recipe", default=ROOT / "Models/emoji/recipes/teacher.json")
    parser.add_argument("--latent-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = json.loads(pathlib.Path(arguments.recipe).read_text())
    torch_training = TorchTraining(recipe, arguments.latent_size)
    work = torch_training.work()
    print(f"{work / 1e9:.1f} GFLOP a step of {recipe['batch']} examples")
    pairs = []
    for _ in range(arguments.rounds):
        ours = trainer_seconds(arguments, recipe, arguments.steps)
        theirs = torch_training.seconds(arguments.steps)
        pairs.append((ours, theirs))
        print(
            f"trainer {ours:.3f} s, {work / ours / 1e9:.0f} GFLOP/s; "
            f"PyTorch {theirs:.3f} s, {work / theirs / 1e9:.0f} GFLOP/s; "
            f"ratio {theirs / ours:.2f}",
            flush=True,
        )
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    print(f"median ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
