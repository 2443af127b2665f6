"""How long it is from the start of the process to the next step of a run that goes on, at step 10 and at step 100,000.

    python benchmarks/resume.py --repeats 5

The base and the recipes that ship, one conversation a step, so that an epoch has thousands of steps. The late
checkpoint is that of step 10 with another number: what it has learned does not matter to the clock.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from koki.runs.checkpoints import SEAL, write_seal
from measuring import report, spread
from start_up import until

STEPS = (10, 100_000)
ONE_A_STEP = ("training.per_device_train_batch_size=1", "training.gradient_accumulation_steps=1")
SETTINGS = (*ONE_A_STEP, "training.max_steps=200000", "training.save_steps=10", "training.logging_steps=1")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train_until(run, 12)
        seconds = {step: [go_on(run, step) for _ in range(repeats)] for step in STEPS}
    rows = [[f"{step:,}", *(spread(clock) for clock in zip(*runs, strict=True))] for step, runs in seconds.items()]
    report("resume", f"{repeats} repeats", ("goes on from step", "CPU s", "wall s"), rows, seconds)


def go_on(run: Path, step: int) -> tuple[float, float]:
    """Of a copy of the run whose checkpoint is of ``step``."""
    copy = Path(shutil.copytree(run, run.with_name("copy")))
    renumber((copy / "checkpoint-10").rename(copy / f"checkpoint-{step}"), step)
    try:
        return train_until(copy, step + 1)
    finally:
        shutil.rmtree(copy)


def renumber(checkpoint: Path, step: int) -> None:
    """Let a checkpoint be of another step, with a seal that is true."""
    state = checkpoint / "trainer_state.json"
    state.write_text(json.dumps(json.loads(state.read_text("utf-8")) | {"global_step": step}), "utf-8")
    write_seal(checkpoint, json.loads((checkpoint / SEAL).read_text("utf-8"))["identity"])


def train_until(run: Path, step: int) -> tuple[float, float]:
    """Processor and wall seconds to the end of a step."""
    options = [option for setting in SETTINGS for option in ("--set", setting)]
    return until(["train", "--model", "mini", "--output", str(run), *options], f"step {step}/")


if __name__ == "__main__":
    main()
