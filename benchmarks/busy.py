"""How long asking, training and planning take beside other programs that keep a core busy each, and on an idle machine.

    python benchmarks/busy.py runs/demo --busy 0 1 2 --repeats 3

Two sides in turn: threads that sleep while they wait, as Koki asks of OpenMP, and threads that spin as long as
OpenMP's own default lets them (GOMP_SPINCOUNT; GNU's OpenMP, on Linux). Wall seconds, as users feel them, of whole
commands; of training those of the steps; of the plan what it says that a run will take.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measuring import report, spread

# What OpenMP does where nothing is set: it spins 300,000 times, a thousandth of that with more threads than cores.
SIDES = {"spinning": {"GOMP_SPINCOUNT": "300000"}, "sleeping": {}}
COLUMNS = ("task", "busy programs", *(f"{side} s" for side in SIDES), "ratio")
QUESTIONS = ("resep rendang daging", "cara membuat tempe mendoan", "bahan soto ayam", "enaknya udang dimasak apa?")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run folder to ask")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    tasks = {
        "ask one question": lambda side: asked(options.run, QUESTIONS[:1], side),
        f"ask {options.questions} through a pipe": lambda side: asked(
            options.run, [QUESTIONS[number % len(QUESTIONS)] for number in range(options.questions)], side
        ),
        f"train {options.steps} steps": lambda side: trained(options.steps, side),
        "what the plan says": planned,
    }
    rows, result = [], []
    for name, task in tasks.items():
        for busy in options.busy:
            with busy_programs(busy):
                runs = [{side: task(side) for side in SIDES} for _ in range(options.repeats)]
            ratios = [run["spinning"] / run["sleeping"] for run in runs]
            rows.append([name, str(busy), *(spread([run[side] for run in runs]) for side in SIDES), spread(ratios)])
            result.append({"task": name, "busy": busy, "runs": runs})
    report("busy", f"{options.repeats} repeats", COLUMNS, rows, result)


def asked(run: str, questions: Sequence[str], side: str) -> float:
    """Seconds of `koki ask` with the questions from a pipe."""
    started = time.perf_counter()
    koki(["ask", run], side, "\n".join(questions))
    return time.perf_counter() - started


def trained(steps: int, side: str) -> float:
    """Seconds of the steps, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        koki(["train", "--model", "mini", "--output", f"{folder}/run", "--max-steps", str(steps)], side)
        card = json.loads(Path(folder, "run", "training_metadata.json").read_text("utf-8"))
    return float(card["training"]["seconds"])


def planned(side: str) -> float:
    """Seconds that a run will take, as the plan says."""
    return float(json.loads(koki(["plan", "--preset", "laptop", "--json"], side))["seconds"])


def koki(arguments: Sequence[str], side: str, text: str = "") -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "koki", *arguments]
    environment = {**os.environ, **SIDES[side]}
    return subprocess.run(command, input=text, env=environment, capture_output=True, text=True, check=True).stdout


@contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """So many programs that keep a core busy, as long as the context lasts."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


if __name__ == "__main__":
    main()
