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

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def run_engine(arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(ROOT / ".build/release/turbine"), "generate", "--model", arguments.model,
            "--prompt", arguments.prompt, "--width", str(arguments.width),
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
        "--threads", str(arguments.threads), "--json",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output[output.index("{"):])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", default="a photo of a red apple on a table")
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
    keys = [("text", "text"), ("text", "text_unpadded"), ("step", "step"), ("decode", "decode")]
    for own, other in keys:
        if other not in theirs[0]:
            continue
        a = [item[own] for item in ours]
        b = [item[other] for item in theirs]
        ratio = statistics.median(y / x for x, y in zip(a, b))
        print(f"| {other} | {statistics.median(a):.3f} s | {statistics.median(b):.3f} s | {ratio:.2f} |")


if __name__ == "__main__":
    main()
