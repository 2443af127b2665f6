"""Tasks for workers, in a module that a worker imports fast."""

import gc
import os
import signal
import sys
import time
from typing import NoReturn

from koki import language
from koki.errors import QuestionTooLong
from koki.workers import worker_count


class TwoPartError(Exception):
    """An error that pickle cannot make again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def greeting() -> str:
    """The state of the workers."""
    return f"halo dari {os.getpid()}"


def processed(state: str, task: int) -> tuple[int, str]:
    """Takes longer for some tasks than for those after them."""
    time.sleep(0.001 * (task % 3))
    return 2 * task, state.split()[0]


def process_of(state: str, _task: object) -> tuple[int, str]:
    """Where a task is done, and the state there."""
    return os.getpid(), state


def surroundings(_state: str, _task: object) -> dict[str, object]:
    """What a task finds around it."""
    return {
        "number": language.number(1234.5),
        "collects garbage": gc.isenabled(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "workers": worker_count(),
        "torch": "torch" in sys.modules,
    }


def unless_two(_state: str, task: int) -> int:
    if task == 2:
        raise QuestionTooLong("Soto?", tokens=9, context=8)
    return task


def failing(_state: str, _task: object) -> NoReturn:
    raise TwoPartError("dua ", "bagian")


def dying(_state: str, task: tuple[int, bytes]) -> int:
    if task[0] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return task[0]


def sleeping(_state: str, seconds: float) -> None:
    time.sleep(seconds)
