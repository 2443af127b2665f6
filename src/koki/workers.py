"""A second Python process that reads some of the files, or composes some of the conversations, beside this one.

Such work keeps a core busy, and its results are quickly sent. The process is started by itself, not in a pool of
multiprocessing: nothing is forked, and a program that uses Koki need not guard its main module. Where the process
cannot be started, dies or sends what cannot be read, the rest of its work is done here.
"""

import os
import pickle
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Generic, NamedTuple, Self, TypeVar

from koki.gc_paused import gc_paused
from koki.language import choose, chosen

_T = TypeVar("_T")

_RUN: Final = "from koki.workers import answer; answer()"


def python(code: str) -> list[str]:
    """The command that runs code in a new process of this Python, which finds the modules that this one finds.

    Neither the current folder nor a ``sitecustomize`` of the user's has a part in it.
    """
    name = "python.exe" if sys.platform == "win32" else "python"
    program = sys.executable or str(Path(sysconfig.get_path("scripts"), name))  # a program around Python may have none
    places = [str(place) for place in sys.path if str(place)]
    return [program, "-P", "-S", "-c", f"import sys; sys.path[:] = sys.argv[1:]; {code}", *places]


class _Item(NamedTuple):
    content: Any


class _End(NamedTuple):
    error: Exception | None  # what the function raised


class Helper(Generic[_T]):
    """The items of an iterable, made in another process, which ends when the context of the helper is left.

    The other process runs ahead until the pipe between the two is full.

    Args:
        function: returns the iterable and may raise. It can be pickled, as its arguments and the items can, and gives
            the same items when it is called again.
        arguments: what the function is called with.
    """

    def __init__(self, function: Callable[..., Iterable[_T]], *arguments: Any) -> None:
        self._function, self._arguments = function, arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._is_done = False

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                python(_RUN), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            assert self._process.stdin is not None
            job = (self._function, self._arguments, chosen())
            pickle.dump(job, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.close()
        except Exception:  # whatever it is, all of the work can be done here
            self._give_up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._give_up()

    def __iter__(self) -> Iterator[_T]:
        """The items; those that the other process does not deliver are made here.

        Raises:
            Exception: what the function raised.
        """
        received = 0
        for item in self._receive():
            yield item
            received += 1
        if not self._is_done:
            yield from islice(self._function(*self._arguments), received, None)

    def _receive(self) -> Iterator[_T]:
        while self._process is not None and self._process.stdout is not None:
            try:
                # safe to unpickle: it comes from a process of our own, over a pipe that nobody else holds
                message = pickle.load(self._process.stdout)
            except Exception:  # it died, or its output is not what was sent
                return
            if isinstance(message, _Item):
                yield message.content
                continue
            self._is_done = isinstance(message, _End)
            if isinstance(message, _End) and message.error is not None:
                raise message.error
            return

    def _give_up(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):  # close() flushes, and the process may have ended
                        stream.close()
            process.wait()


def answer() -> None:
    """In the other process: send each item, then the end."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no result
    end = _End(None)
    with gc_paused():
        function, arguments, language = pickle.load(sys.stdin.buffer)
        choose(language)
        try:
            for item in function(*arguments):
                _send(_Item(item), results)
        except Exception as error:
            end = _End(error)
    _send(end, results)


def _send(message: Any, results: IO[bytes]) -> None:
    pickle.dump(message, results, pickle.HIGHEST_PROTOCOL)
    results.flush()


def pays(work: int, least: int) -> bool:
    """Whether ``work`` reaches ``least``, so that a second process saves time, and there is a second core for it."""
    return work >= least and (os.cpu_count() or 1) > 1
