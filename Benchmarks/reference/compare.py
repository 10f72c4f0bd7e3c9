"""Times the engine beside diffusers on the same checkpoint, in turn, and prints medians and ratios.

    python Benchmarks/reference/compare.py --model DIR [--rounds 3] [--dtype float32]

Each round runs `turbine generate` and time_diffusers.py one after the other, so that a machine whose
speed drifts treats both alike.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

PROMPT = "a red heart on a wooden table beside a cat face, soft morning light, detailed, 猫"
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def run_engine(arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(ROOT / ".build/release/turbine"), "generate", "--model", arguments.model,
            "--prompt", PROMPT, "--width", str(arguments.width),
            "--height", str(arguments.height), "--steps", str(arguments.steps), "--guidance", "0",
            "--seed", "1", "--no-prune", "--tile", "off", "--threads", str(arguments.threads),
            "--output", folder + "/image.png", "--json",
        ]
        outcome = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    report = outcome["report"]
    image = report["images"][0]
    return {
        "text": report["textSeconds"],
        "step": statistics.median(image["stepSeconds"]),
        "decode": image["seconds"]["decoding"],
        "memory": outcome["peakResidentBytes"],
    }


def run_reference(arguments):
    command = [
        sys.executable, str(HERE / "time_diffusers.py"), "--model", arguments.model,
        "--width", str(arguments.width), "--height", str(arguments.height),
        "--steps", str(arguments.steps), "--dtype", arguments.dtype,
        "--threads", str(arguments.threads), "--prompt", PROMPT, "--json",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output[output.index("{"):])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32")
    arguments = parser.parse_args()
    ours, theirs = [], []
    for round_number in range(arguments.rounds):
        ours.append(run_engine(arguments))
        theirs.append(run_reference(arguments))
        print(f"round {round_number}: {ours[-1]} {theirs[-1]}", file=sys.stderr)
    print(f"| stage | turbine | diffusers {arguments.dtype} | ratio, median of pairs |")
    print("| --- | --- | --- | --- |")
    keys = [
        ("text", "text_seconds", "text, as the pipeline does (padded to 512)"),
        ("text", "text_unpadded_seconds", "text, its own tokens only"),
        ("step", "step_seconds", "a step"),
        ("decode", "decode_seconds", "decoding"),
    ]
    for own, other, name in keys:
        a = [item[own] for item in ours]
        b = [item[other] for item in theirs]
        ratio = statistics.median(y / x for x, y in zip(a, b))
        a, b = statistics.median(a), statistics.median(b)
        print(f"| {name} | {a:.3f} s | {b:.3f} s | {ratio:.2f} |")


if __name__ == "__main__":
    main()
