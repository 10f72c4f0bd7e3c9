#!/usr/bin/env python3
"""Distils the student again and again, each time with one part off, and compares.

Every run has the same teacher, seed and number of steps. Runs and evaluations lie in FOLDER and are
gone on with when the script is called again with the same options. The table goes to standard
output as Markdown.
"""

import argparse
import copy
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TURBINE = ROOT / ".build/release/turbine"


def variants(recipe):
    """Name and recipe of each run, everything on first."""
    yield "all parts", recipe
    for part in ["prediction", "trajectory", "features", "alignment", "subject"]:
        if recipe["loss"][part] == 0:
            continue
        changed = copy.deepcopy(recipe)
        changed["loss"][part] = 0.0
        yield f"without {part}", changed
    if recipe["progressive"]:
        yield "without progressive steps", {**recipe, "progressive": False}


def evaluate(model, steps, guidance, output, options):
    """`turbine evaluate` of a checkpoint, once."""
    report = output / "evaluation.json"
    if not report.exists():
        command = [TURBINE, "evaluate", "--model", model, "--data", options.data]
        command += ["--steps", str(steps), "--guidance", str(guidance), "--output", output]
        command += ["--concepts", str(options.concepts)]
        for group in json.loads(options.recipe.read_text())["groups"]:
            command += ["--group", group]
        if model != options.teacher:
            command += ["--teacher", options.teacher, "--compared", str(options.compared)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads(report.read_text())


def row(name, model, folder, options):
    """A line of the table."""
    cells = [name]
    for steps in [8, 4]:
        report = evaluate(model, steps, 0, folder / f"evaluation-{steps}", options)
        cells += [f"{100 * report['english']['topOne']:.1f}"]
        if "teacher" in report:
            cells += [f"{report['teacher']['descriptorDistance']:.3f}"]
        else:
            cells += [""]
    return "| " + " | ".join(cells) + " |"


def check_folder(options, recipe):
    """Keeps figures of other options out of the table."""
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "options.json"
    now = {
        "teacher": str(options.teacher.resolve()), "data": str(options.data.resolve()),
        "concepts": options.concepts, "compared": options.compared, "recipe": recipe}
    if path.exists() and json.loads(path.read_text()) != now:
        sys.exit(f"{options.folder} was begun with other options ({path}); name another folder.")
    path.write_text(json.dumps(now, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="for runs, checkpoints and evaluations")
    parser.add_argument("--teacher", type=pathlib.Path, required=True, help="checkpoint folder")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".build/emoji-dataset")
    parser.add_argument(
        "--recipe", type=pathlib.Path, default=ROOT / "Models/emoji/recipes/distill.json")
    parser.add_argument("--steps", type=int, default=100, help="of each run")
    parser.add_argument("--concepts", type=int, default=128, help="tried in each evaluation")
    parser.add_argument(
        "--compared", type=int, default=32, help="pictures compared with the teacher's")
    options = parser.parse_args()

    recipe = json.loads(options.recipe.read_text())
    recipe.update(steps=options.steps, sample_every=options.steps, checkpoint_every=options.steps)
    recipe["samples"]["prompts"] = []
    check_folder(options, recipe)
    lines = [
        "| student | top 1 at 8 steps, % | distance | top 1 at 4 steps, % | distance |",
        "| --- | --- | --- | --- | --- |",
        row("the teacher, no guidance", options.teacher, options.folder / "teacher", options),
    ]
    for name, changed in variants(recipe):
        folder = options.folder / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "recipe.json"
        path.write_text(json.dumps(changed, indent=2) + "\n")
        if not (folder / "model/model_index.json").exists():
            subprocess.run(
                [TURBINE, "distill", "--recipe", path, "--data", options.data,
                 "--teacher", options.teacher, "--run", folder / "run",
                 "--output", folder / "model"], check=True, stdout=sys.stderr)
        lines.append(row(name, folder / "model", folder, options))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
