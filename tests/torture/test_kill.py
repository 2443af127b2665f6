"""A run that is killed again and again, wherever it stands, and restarted until it is finished, loses nothing.

`make torture` kills it fifty times; the suite a few times.
"""

import io
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import config_of_short_run
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch_helpers import assert_same_end

from koki.config import RunConfig
from koki.pipeline import train
from koki.runs.checkpoints import find_newest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows forks no processes"),
]

KILLS = int(os.environ.get("KOKI_TORTURE_KILLS", "4"))

# A save every other step and one checkpoint kept: much of the time goes into saving and rotating.
SETTINGS = ("training.save_steps=2", "training.save_total_limit=1")

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def attempt(config: RunConfig, dies_at: int, changes: Any) -> None:
    """Train, and die at the so-manieth change to the run folder; ``changes`` counts them."""

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            changed = str(arguments[0]).startswith(config.output) and arguments[2] & WRITING
        else:
            changed = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
        changes.value += bool(changed)
        if changed and changes.value == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    train(config, Console(file=io.StringIO()))


class Kitchen:
    """Starts attempts in processes of their own, quickly: they are forked from one that has imported everything.

    Attributes:
        changes: to the run folder, in the last attempt.
        seconds: that the last attempt took.
    """

    def __init__(self, config: RunConfig) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        # which asks for GPUs when imported, and CUDA, once asked, does not survive a fork
        self._context.set_forkserver_preload([] if torch.cuda.is_available() else ["koki.pipeline"])
        self._config = config
        self.changes = self._context.Value("i", 0)
        self.seconds = 0.0

    def run(self, dies_at: int = 0, killed_after: float | None = None) -> bool:
        """Whether the attempt came to its end."""
        self.changes.value = 0
        started = time.monotonic()
        process: ForkServerProcess = self._context.Process(target=attempt, args=(self._config, dies_at, self.changes))
        process.start()
        process.join(killed_after)
        self.seconds = time.monotonic() - started
        process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        return process.exitcode == 0


@pytest.fixture
def kitchen(small_base: Path, recipe_csv: Path, tmp_path: Path) -> Callable[[str], Kitchen]:
    def make(name: str) -> Kitchen:
        return Kitchen(config_of_short_run(str(small_base), recipe_csv, tmp_path / name, *SETTINGS))

    return make


def newest_step(run: Path) -> int:
    newest = find_newest(run).newest
    return newest.step if newest else 0


def test_it_ends_as_if_it_had_never_been_killed(
    kitchen: Callable[[str], Kitchen], small_base: Path, recipe_csv: Path, tmp_path: Path
) -> None:
    quiet = Console(quiet=True)
    uninterrupted = train(config_of_short_run(str(small_base), recipe_csv, tmp_path / "whole"), quiet).folder
    unharmed = kitchen("unharmed")
    assert unharmed.run()
    seconds, changes = unharmed.seconds, unharmed.changes.value

    draw = random.Random(42)
    kills = runs = 0
    died_at_step: list[int] = []
    while kills < KILLS:
        runs += 1
        run = tmp_path / f"run-{runs}"
        attempts = kitchen(run.name)
        step = 0
        while True:
            last = kills >= KILLS
            by_the_clock = not last and draw.random() < 0.5
            ended = attempts.run(
                dies_at=0 if last or by_the_clock else draw.randint(1, changes),
                killed_after=draw.uniform(0.3, 1.0) * seconds if by_the_clock else None,
            )
            assert newest_step(run) >= step  # what was saved is there
            step = newest_step(run)
            if ended:
                seconds = min(seconds, attempts.seconds)
                break
            kills += 1
            died_at_step.append(step)
        assert_same_end(run, uninterrupted)
        assert not list(run.glob("*.damaged-*"))
        points = EventAccumulator(str(run / "tensorboard")).Reload().Scalars("train/loss")
        assert [point.step for point in points] == [1, 3, 6, 9, 12]
    print(f"{kills} kills in {runs} runs of {changes} changes to files, after the checkpoints of steps {died_at_step}")  # noqa: T201
