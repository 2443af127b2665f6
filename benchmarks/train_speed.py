"""How fast Koki trains, beside transformers.Trainer with the reference settings and TRL, and how much memory it takes.

    python benchmarks/train_speed.py --model mini --workload mix --steps 10 --repeats 5 --threads 1

The same adapter, base, examples, step composition (2 x 4) and threads for every side, each in a process of its own,
in turns (a b c, a b c, ...). Told are medians, between which values they lie, and what peak memory is above the
weights; a further run without dropout compares the losses. With one thread the ratios are of processor time, which
other work on the machine disturbs least; with more they are of wall time, since waiting threads burn processor time.
On a GPU they are of wall time, and memory is what torch has allocated there.

TRL is left out where it is not installed (`pip install trl`). LLaMA-Factory is left out always: 0.9.5 asks for
transformers 5.6, TRL 0.24 and peft 0.18 at most, so it cannot stand in one environment with the others, and its neat
packing changes which examples make a step.
"""

import argparse
import importlib
import statistics
import sys
from collections import defaultdict
from functools import partial

import workloads
from koki.tokens.dataset import IGNORED
from measuring import measured, report, spread
from sides import EXAMPLES_A_STEP, SHAPES, SIDES, VOCABULARY, Result, run

SEED = 42
MINI_VOCABULARY = 8192
COLUMNS = (
    "side",
    "checkpointing",
    "smoothing",
    "CPU s/step",
    "wall s/step",
    "tokens/CPU s",
    "times plain",
    "times the best TRL",
    "MB above weights",
    "loss differs by",
)

Runs = list[Result]


def main() -> None:
    """Measure, print, write."""
    options = parse_options()
    sides = [side for side in options.only or SIDES if importable(side)]
    timed = EXAMPLES_A_STEP * options.steps
    if options.workload == "mix":
        vocabulary = MINI_VOCABULARY if options.model == "mini" else VOCABULARY
        examples = measured(workloads.mix, EXAMPLES_A_STEP, timed, vocabulary, SEED)
    else:
        examples = measured(workloads.recipes, EXAMPLES_A_STEP + timed, SEED)

    def train(side: str, *, dropout: float = 0.05, profile: bool = False) -> Result:
        return measured(
            partial(run, profile=profile), side, options.model, examples, options.threads, dropout, options.precision
        )

    runs: dict[str, Runs] = defaultdict(list)
    for repeat in range(options.repeats):
        for side in sides:
            runs[side].append(train(side))
            say(f"{repeat + 1} of {options.repeats}: {side} {runs[side][-1]['seconds']}")
    losses = {side: train(side, dropout=0)["losses"] for side in sides}
    for side in sides if options.profile else ():
        say(f"{side}: {train(side, profile=True)['profile'][0]}")
    tokens = sum(len(example["labels"]) for example in examples[EXAMPLES_A_STEP:])
    lengths = [len(example["labels"]) for example in examples]
    supervised = sum(int((example["labels"] != IGNORED).sum()) for example in examples) / sum(lengths)
    device = next(run["device"] for side in runs.values() for run in side)
    clock = "cpu" if options.threads == 1 and device.startswith("CPU") else "wall"
    title = (
        f"{device}; {options.model}, {options.workload}: examples of {min(lengths)} to {max(lengths)} tokens, "
        f"{statistics.mean(lengths):.0f} in the mean, {supervised:.0%} supervised; {options.threads} threads, "
        f"{options.steps} steps x {options.repeats} repeats; ratios of {'processor' if clock == 'cpu' else 'wall'} time"
    )
    rows = [row(side, runs, losses, tokens / options.steps, clock) for side in sides]
    name = f"train_speed-{options.model}-{options.workload}"
    report(name, title, COLUMNS, rows, {"options": vars(options), "runs": runs, "losses without dropout": losses})


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["mini", *SHAPES], default="mini", help="full: 30 M, 151,936 entries")
    parser.add_argument("--workload", choices=["mix", "recipes"], default="mix", help="recipes: those that ship")
    parser.add_argument("--steps", type=int, default=10, help="timed, after one that warms up")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["auto", "no", "fp16", "bf16"], default="auto", help="auto is Koki's")
    parser.add_argument("--only", nargs="+", choices=list(SIDES), help="the sides to run; all when left out")
    parser.add_argument("--profile", action="store_true", help="also print what takes the time in each side")
    return parser.parse_args()


def importable(side: str) -> bool:
    """Whether what the side needs is installed; says so where not."""
    if not side.startswith("trl"):
        return True
    try:
        importlib.import_module("trl.trainer.sft_trainer")  # here, so that it is not part of what is measured
    except ImportError as error:
        say(f"{side} is skipped: {error}")
        return False
    return True


def row(side: str, runs: dict[str, Runs], losses: dict[str, list[float]], tokens: float, clock: str) -> list[str]:
    """What the table says of a side."""
    settings = SIDES[side]
    cpu, wall = ([run["seconds"][name] for run in runs[side]] for name in ("cpu", "wall"))
    return [
        f"{side}: {settings.says}",
        "on" if settings.checkpointing else "off",
        f"{settings.smoothing:g}",
        spread(cpu),
        spread(wall),
        f"{tokens / statistics.median(cpu):,.0f}",
        times_faster(runs.get("plain"), runs[side], clock),
        times_faster(best_trl(runs, clock, checkpointing=settings.checkpointing), runs[side], clock),
        spread([run["memory"] / 1e6 for run in runs[side]], ",.0f"),
        difference(losses.get("plain"), losses[side]) if settings.smoothing else "-",
    ]


def times_faster(other: Runs | None, ours: Runs, clock: str) -> str:
    """The ratio of neighbouring runs."""
    if other is None:
        return "-"
    return spread([a["seconds"][clock] / b["seconds"][clock] for a, b in zip(other, ours, strict=True)])


def best_trl(runs: dict[str, Runs], clock: str, *, checkpointing: bool) -> Runs | None:
    """The runs of the TRL side that is fastest with, or without, checkpointing."""
    candidates = [runs[side] for side in runs if side.startswith("trl") and SIDES[side].checkpointing == checkpointing]
    return min(candidates, key=lambda side: statistics.median(run["seconds"][clock] for run in side), default=None)


def difference(expected: list[float] | None, losses: list[float]) -> str:
    """The greatest relative difference of any step's loss."""
    if expected is None:
        return "-"
    return f"{max(abs(a - b) / a for a, b in zip(expected, losses, strict=True)):.1e}"


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
