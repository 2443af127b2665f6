"""How near `koki plan` comes: planned and measured time of training and peak memory of `mini`.

    python benchmarks/plan.py --steps 20 --repeats 3

Each run is a process of its own. Both numbers are of the same moment: a machine that does other work is slower in the
plan too.
"""

import argparse
import json
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console

from koki.config import RunConfig, load_config, read_assignments
from koki.pipeline import plan as plan_run
from koki.pipeline import train
from measuring import measured, memory, report, spread

# What changes time or memory, by its name in the table.
SETTINGS = {
    "reference": ["training.warmup_steps=2"],
    "without checkpointing": ["training.gradient_checkpointing=false"],
    "one example at a time": ["training.gradient_checkpointing=false", "training.tokens_per_micro_batch=1"],
    "a step at once": ["training.gradient_checkpointing=false", "training.tokens_per_micro_batch=4096"],
    "rank 64": ["lora.r=64"],
}
COLUMNS = ("setting", "planned s", "measured s", "measured/planned", "planned MB", "measured MB", "measured/planned")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rows, result = [], {}
    for name, assignments in SETTINGS.items():
        pairs = [
            (measured(_planned, assignments, options.steps), measured(_ran, assignments, options.steps))
            for _ in range(options.repeats)
        ]
        rows.append([name, *_columns(pairs, 0, 1), *_columns(pairs, 1, 1e6)])
        result[name] = pairs
    report("plan", f"Plan of {options.steps} steps x {options.repeats} repeats", COLUMNS, rows, result)


def _columns(pairs: list[tuple[tuple[float, float], tuple[float, float]]], which: int, unit: float) -> list[str]:
    planned = [plan[which] / unit for plan, _ in pairs]
    ran = [run[which] / unit for _, run in pairs]
    return [spread(planned, ",.1f"), spread(ran, ",.1f"), spread([b / a for a, b in zip(planned, ran, strict=True)])]


def _planned(assignments: list[str], steps: int) -> tuple[float, float]:
    """Seconds and bytes."""
    plan = plan_run(_config(assignments, steps, "unused"))
    return plan.seconds, plan.memory


def _ran(assignments: list[str], steps: int) -> tuple[float, float]:
    """Seconds and bytes."""
    with tempfile.TemporaryDirectory() as folder:
        run = train(_config(assignments, steps, folder), Console(file=StringIO())).folder
        card = json.loads((Path(run) / "training_metadata.json").read_text("utf-8"))
    return card["training"]["seconds"], memory()[1]


def _config(assignments: list[str], steps: int, output: str) -> RunConfig:
    flags = {"model.name": "mini", "output": output, "training.max_steps": steps}
    return load_config(preset="reference", settings=flags | read_assignments(assignments))


if __name__ == "__main__":
    main()
