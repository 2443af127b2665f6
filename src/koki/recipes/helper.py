"""A second Python process that reads some of the files while this one reads the others.

Reading is work for one core, and a recipe takes little to hand over. A process of its own rather than a pool: nothing
is forked, and a program that uses Koki need not guard its main module. Where it cannot be started or dies, `result`
gives None, and the files are read here.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

_T = TypeVar("_T")

# Bytes of files from which on a second process saves more than it takes to start (0.3 s).
WORTH_A_PROCESS = 2_000_000

_RUN = "from koki.recipes.helper import answer; answer()"


class Helper(Generic[_T]):
    """Calls a function of a module in another process; to be entered, so that it ends with what it helps.

    Args:
        function: a module's own function, which may raise; its arguments and result can be pickled.
    """

    def __init__(self, function: Callable[..., _T], *arguments: Any) -> None:
        self._call = pickle.dumps((function, arguments))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _RUN],  # -P: modules that lie in the current folder are none of its
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            assert self._process.stdin is not None
            self._process.stdin.write(self._call)
            self._process.stdin.close()
        except (OSError, ValueError):
            self._give_up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._give_up()

    def result(self) -> _T | None:
        """What the function returned, or None where the process came to nothing.

        Raises:
            Exception: what the function raised.
        """
        if self._process is None or self._process.stdout is None:
            return None
        try:
            # bytes of Koki's own process, over a pipe that no one else holds
            returned, raised = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError, AttributeError, ImportError, MemoryError):
            return None
        if raised is not None:
            raise raised
        result: _T = returned
        return result

    def _give_up(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None and not stream.closed:
                    stream.close()
            process.wait()


def answer() -> None:
    """In the other process: make the call and send back what it returned or raised."""
    function, arguments = pickle.load(sys.stdin.buffer)
    outcome: tuple[Any, Exception | None]
    try:
        outcome = function(*arguments), None
    except Exception as error:
        outcome = None, error
    pickle.dump(outcome, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()


def two_halves(paths: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The files to read here and those for a helper, in order; none for it where it would not pay."""
    try:
        sizes = [Path(path).stat().st_size for path in paths]
    except (OSError, ValueError):  # reading it will say what is wrong
        return paths, ()
    if (os.cpu_count() or 1) < 2 or sum(sizes) < WORTH_A_PROCESS:
        return paths, ()
    here = 1
    while here < len(paths) and 2 * sum(sizes[: here + 1]) <= sum(sizes) + sizes[here]:
        here += 1
    return paths[:here], paths[here:]
