"""How many tokens `fast` needs to learn what `reference` learns, told by one held-out loss.

    python benchmarks/tokens_to_loss.py --data recipes.csv --recipes 40 --seeds 2

Both presets as they are, but for the share of the recipes that is held out and for the book, which neither reads,
fine-tune `mini` on the same recipes. Both are judged by the loss of the answers, not smoothed, in the same
conversations about recipes held out: what `reference` reaches at best, with how many tokens, and with how many `fast`
first reaches it, by a straight line between two looks.

`mini` has seen the recipes that ship, those held out here among them, so recipes of your own are the better judge.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from rich.console import Console

from koki.config import RunConfig, load_config
from koki.data.recipes import RecipesOfRun
from koki.pipeline import plan as plan_run
from koki.pipeline import train
from measuring import measured, report, spread

COLUMNS = (
    "preset",
    "steps",
    "tokens in all",
    "loss before",
    "lowest loss",
    "tokens to reference's lowest",
    "share of reference's",
)


class Look(NamedTuple):
    """A held-out loss, in nats a token, and how many tokens the model was trained on before."""

    step: int
    tokens: int
    loss: float


def main() -> None:
    """Measure, print, write."""
    options = parse_options()
    settings = {"model.name": "mini", "data.files": options.data, "data.book_share": 0}
    recipes = RecipesOfRun(load_config(settings=settings)).read
    settings["data.validation_fraction"] = max(0.0, 1 - options.recipes / len(recipes))
    learned, held_out = RecipesOfRun(load_config(settings=settings)).split
    if not held_out:
        sys.exit(f"None of {len(recipes)} recipes is held out: give 100 or more, and train on fewer with --recipes.")
    runs: dict[str, list[list[Look]]] = {"reference": [], "fast": []}
    for seed in range(options.seeds):
        for preset, looks in runs.items():
            looks.append(measured(looks_of, preset, {**settings, "seed": seed}, options))
            print(f"seed {seed}, {preset}: {looks[-1]}", file=sys.stderr, flush=True)
    title = (
        f"mini, {', '.join(options.data) or 'the recipes that ship'}: {len(learned)} recipes trained on, "
        f"{len(held_out)} held out; {options.seeds} seeds"
    )
    rows = [row(preset, looks, runs["reference"]) for preset, looks in runs.items()]
    report("tokens_to_loss", title, COLUMNS, rows, {"options": vars(options), "runs": runs})


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=[], help="recipe files; those that ship when left out")
    parser.add_argument("--recipes", type=int, default=40, help="about how many to train on; the others are held out")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--looks", type=int, default=25, help="about how many at the held-out loss of fast")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def looks_of(preset: str, settings: dict[str, Any], options: argparse.Namespace) -> list[Look]:
    """Every held-out loss of a run from its start to its end."""
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        flags = {**settings, "output": folder}
        steps = plan_run(load_config(preset=preset, settings=flags)).steps
        # of reference only the lowest loss counts, which it has at or near its end
        looks = options.looks if preset == "fast" else math.ceil(options.looks / 5)
        config = load_config(preset=preset, settings={**flags, "evaluation.every_steps": max(1, steps // looks)})
        return list(looks_in(log_of(config)))


def log_of(config: RunConfig) -> list[dict[str, Any]]:
    """What a run has logged."""
    run = train(config, Console(file=StringIO())).folder
    card = json.loads((run / "training_metadata.json").read_text("utf-8"))
    log: list[dict[str, Any]] = card["training"]["log"]
    return log


def looks_in(log: Iterable[dict[str, Any]]) -> Iterable[Look]:
    """The held-out losses of a log."""
    evaluations = (entry for entry in log if "eval_loss" in entry)
    return (Look(entry["step"], entry["num_input_tokens_seen"], entry["eval_loss"]) for entry in evaluations)


def lowest(looks: Sequence[Look]) -> Look:
    """The look at the lowest loss, of equal ones the first."""
    return min(looks, key=lambda look: look.loss)


def tokens_to(loss: float, looks: Sequence[Look]) -> float | None:
    """The tokens after which a loss is first reached; None if it never is."""
    for before, after in pairwise(looks):
        if after.loss <= loss:
            return before.tokens + (after.tokens - before.tokens) * (before.loss - loss) / (before.loss - after.loss)
    return None


def row(preset: str, runs: Sequence[Sequence[Look]], reference: Sequence[Sequence[Look]]) -> list[str]:
    """What the table says of a preset."""
    goals = [lowest(looks) for looks in reference]
    needed = [tokens_to(goal.loss, looks) for goal, looks in zip(goals, runs, strict=True)]
    reached = [(tokens, goal.tokens) for tokens, goal in zip(needed, goals, strict=True) if tokens is not None]
    missed = f", not by {len(runs) - len(reached)}" if len(reached) < len(runs) else ""
    return [
        preset,
        f"{runs[0][-1].step:,}",
        spread([looks[-1].tokens for looks in runs], ",.0f"),
        spread([looks[0].loss for looks in runs], ".3f"),
        spread([lowest(looks).loss for looks in runs], ".3f"),
        (spread([tokens for tokens, _ in reached], ",.0f") if reached else "never") + missed,
        spread([tokens / goal for tokens, goal in reached], ".3f") if reached else "-",
    ]


if __name__ == "__main__":
    main()
