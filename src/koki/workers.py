"""Work that is done task by task, by as many processes as there are cores.

The processes are loky's: those of ``concurrent.futures`` import the user's main module again, so that a script without
a guard would run itself in each of them, and a notebook has none to import. Where they cannot be started, the work is
done in this process.
"""

import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain, islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import format_exception_only
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from koki.errors import ConfigError, WorkerError
from koki.gc_paused import gc_paused
from koki.language import Language, _, choose, chosen

if TYPE_CHECKING:  # it takes a tenth of a second to import
    from loky import Future, ProcessPoolExecutor

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

# Memory that a worker is reckoned to need. One that has composed for 2,000 recipes and has torch, transformers and the
# tokenizer of mini has 0.36 GB; the rest is for a tokenizer with more words and for the tasks.
_BYTES_OF_WORKER: Final = 700_000_000

# For each worker the task that it does and the one that it does next.
_AHEAD: Final = 2

# Of Linux's control groups, as Docker and Kubernetes set them.
_LIMIT_OF_CONTAINER: Final = Path("/sys/fs/cgroup/memory.max")

_ENVIRONMENT: Final = {
    # one thread each, of those of every library: the cores have a worker each already
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "KOKI_WORKERS"), "1"
    ),
    "TOKENIZERS_PARALLELISM": "false",
    # a module of the user's, in the current folder, is none of Python's
    "PYTHONSAFEPATH": "1",
    # bytes by which a worker may grow before loky replaces it, with a warning: its state and its caches are no leak
    "LOKY_MAX_MEMORY_LEAK_SIZE": "1e15",
}


def worker_count() -> int:
    """The number of processes that work: ``KOKI_WORKERS``, else as many as cores and free memory allow.

    Raises:
        ConfigError: ``KOKI_WORKERS`` is not a whole number, or below 1.
    """
    if given := os.environ.get("KOKI_WORKERS"):
        if not (given.isascii() and given.isdigit() and int(given)):
            raise ConfigError(
                _("KOKI_WORKERS is {given!r}, which is no number of processes.", given=given),
                _("Give a whole number from 1 on, or leave it out: then it is chosen by cores and memory."),
            )
        return int(given)
    from loky import cpu_count  # it heeds the affinity and the quota of this process

    return max(1, min(int(cpu_count()), _free_memory() // _BYTES_OF_WORKER))


def _free_memory() -> int:
    """Bytes that processes may take: of a container no more than its limit, which the system's own count leaves out."""
    import psutil

    free = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # there is no such file, or it says "max"
        free = min(free, int(_LIMIT_OF_CONTAINER.read_text("ascii")))
    return free


class Workers(Generic[S]):
    """Processes that do tasks; leaving the context ends them at once.

    They are started by the first map that has more than one task.

    Args:
        start: makes what a worker needs for its tasks, once in each worker; it can be pickled.
        count: of the processes; None is `worker_count`. With 1, all is done in this process.

    Raises:
        ConfigError: as `worker_count`.
    """

    def __init__(self, start: Callable[[], S], count: int | None = None) -> None:
        self._start = start
        self._count = worker_count() if count is None else count
        self._state = cache(start)
        self._pool: ProcessPoolExecutor | None = None
        self._life: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def map(self, function: Callable[[S, T], R], tasks: Iterable[T], label: Callable[[T], str]) -> Iterator[R]:
        """The results of the tasks, in their order.

        Tasks are taken a few ahead of the results. Function, tasks and results can be pickled.

        Args:
            function: is given the state of the worker and a task.
            label: names a task, as in "resep.csv, rows 1 to 1,024".

        Raises:
            WorkerError: a worker died, as it does when the memory is short.
            Exception: what the function raised, when it is the turn of that result.
        """
        waiting = iter(tasks)
        first = list(islice(waiting, 2))
        if len(first) == 2 and self._has_started():
            yield from self._map_there(function, chain(first, waiting), label)
        else:
            for task in chain(first, waiting):
                with gc_paused():
                    result = function(self._state(), task)
                yield result

    def _map_there(self, function: Callable[[S, T], R], tasks: Iterable[T], label: Callable[[T], str]) -> Iterator[R]:
        from loky.process_executor import TerminatedWorkerError

        pool = self._pool
        assert pool is not None
        ahead: deque[tuple[T, Future[R]]] = deque()
        try:
            for task in tasks:
                ahead.append((task, pool.submit(_do, chosen(), function, task)))
                if len(ahead) == _AHEAD * self._count:
                    yield ahead[0][1].result()
                    ahead.popleft()
            while ahead:
                yield ahead[0][1].result()
                ahead.popleft()
        except TerminatedWorkerError as error:
            lost = [
                task
                for task, future in ahead
                if not future.done() or isinstance(future.exception(), TerminatedWorkerError)
            ]
            self._end()
            # they are begun in their order, so that those after the first few had not been begun
            raise _death([label(task) for task in lost[: self._count]]) from error

    def _has_started(self) -> bool:
        """Whether there are processes; starts them, if they have not been."""
        if self._pool is None and self._count > 1:
            try:
                self._launch()
            except Exception:  # whatever it is, all of the work can be done here
                self._end()
                self._count = 1
        return self._count > 1

    def _launch(self) -> None:
        from cloudpickle import dumps  # also of a function in a script or a notebook, as loky does with tasks
        from loky import ProcessPoolExecutor

        theirs, self._life = Pipe(duplex=False)
        with theirs:
            self._pool = ProcessPoolExecutor(
                self._count,
                initializer=_begin,
                initargs=(dumps(self._start), theirs),
                env={
                    **_ENVIRONMENT,
                    "PYTHONPATH": os.pathsep.join(filter(None, map(str, sys.path))),
                    "PYTHONUTF8": str(sys.flags.utf8_mode),
                },
            )
            with _without_interrupts():
                answer = self._pool.submit(os.getpid)
            answer.result()

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        life, self._life = self._life, None
        try:
            if pool is not None:
                pool.shutdown(kill_workers=True)
        finally:
            if life is not None:
                life.close()


def _death(labels: list[str]) -> WorkerError:
    how = _("The memory may be short: with KOKI_WORKERS=1 in the environment less of it is needed.")
    if len(labels) > 1:
        what = _("A worker process died, at one of {count}: {labels}", count=len(labels), labels="; ".join(labels))
    else:
        what = _("A worker process died: {label}", label="".join(labels) or _("it was idle"))
    return WorkerError(what, how)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl+C does not reach: it is for this process, which then ends them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # which a new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ------------------------------------------------------------------------------------------- in a worker process


class _Worker:
    state: Callable[[], Any]


def _begin(start: bytes, life: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what a library says, every worker would say
        os.dup2(nothing, stream)
    os.close(nothing)
    threading.Thread(target=_die_with, args=[life], daemon=True).start()
    _Worker.state = cache(pickle.loads(start))  # safe: the process that started this one has sent it


def _die_with(life: Connection) -> None:
    """End this process when the one that started it is gone, also where that was killed and could end nothing."""
    with suppress(EOFError, OSError):
        life.recv_bytes()  # nothing is ever sent
    os._exit(1)


def _do(language: Language, function: Callable[[Any, T], R], task: T) -> R:
    choose(language)
    with gc_paused():
        try:
            return function(_Worker.state(), task)
        except Exception as error:
            if _travels(error):
                raise
            raise RuntimeError("".join(format_exception_only(error)).strip()) from None


def _travels(error: Exception) -> bool:
    """Whether an error arrives in another process: one that does not would be taken for the death of a worker."""
    try:
        pickle.loads(pickle.dumps(error))  # safe to unpickle: it was made here
    except Exception:
        return False
    return True
