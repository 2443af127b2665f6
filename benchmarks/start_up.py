"""How long `koki --help` takes, and how long it is from the start of the process to the first training step of `mini`.

    python benchmarks/start_up.py --repeats 5

The recipes that ship are read, composed and tokenised before that step.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from measuring import report, spread

FIRST_STEP = "step 1/"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    sides: dict[str, Callable[[], tuple[float, float]]] = {
        "koki --help": lambda: until(["--help"], None),
        "koki train --model mini: first step": first_step,
    }
    seconds = {name: [side() for _ in range(repeats)] for name, side in sides.items()}
    rows = [[name, *(spread(clock) for clock in zip(*runs, strict=True))] for name, runs in seconds.items()]
    report("start_up", f"{repeats} repeats", ("command", "CPU s", "wall s"), rows, seconds)


def first_step() -> tuple[float, float]:
    """Of a run in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        return until(["train", "--model", "mini", "--output", f"{folder}/run", "--max-steps", "1000"], FIRST_STEP)


def until(arguments: list[str], mark: str | None) -> tuple[float, float]:
    """Processor and wall seconds of a command until a line starts with ``mark``, or to its end."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "koki", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        seen = any(mark is not None and line.startswith(mark) for line in process.stdout)
        wall = time.perf_counter() - started
        if seen:
            process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if not seen and (mark is not None or process.returncode):
        raise SystemExit(f"koki {' '.join(arguments)} ended with {process.returncode} before {mark!r}")
    return usage.ru_utime + usage.ru_stime, wall


if __name__ == "__main__":
    main()
