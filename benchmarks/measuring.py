"""What the benchmarks share: time and memory of a process, medians with their spread, a table, and JSON beside it."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parents[1] / "build" / "benchmarks"
_LOOK_SECONDS = 0.2

_T = TypeVar("_T")


class Clock:
    """Processor and wall seconds since it was made; the first counts all threads, and the helpers of this process."""

    def __init__(self) -> None:
        self._helpers, self._own, self._wall = _helpers_cpu(), time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """``wall`` and ``cpu``, in seconds; of the latter what was this process's ``own`` and what its ``helpers``'."""
        wall, own = time.perf_counter() - self._wall, time.process_time() - self._own
        helpers = _helpers_cpu() - self._helpers
        return {"wall": wall, "cpu": own + helpers, "own": own, "helpers": helpers}


def _helpers_cpu() -> float:
    """Processor seconds of the processes that this one started, those that have ended and those that have not."""
    ended = os.times()
    alive = 0.0
    for helper in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ends meanwhile
            alive += sum(helper.cpu_times()[:4])  # its own, and that of what it has started in turn
    return ended.children_user + ended.children_system + alive


def reset_peak() -> None:
    """Let the highest memory so far be what is in use now; only Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def memory() -> tuple[int, int]:
    """Bytes of this process in use now, and at most; where there is no /proc, both are the most."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        import resource  # which Windows lacks

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return most, most
    kibibytes = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.strip()}
    return int(kibibytes["VmRSS"]) * 1024, int(kibibytes["VmHWM"]) * 1024


def measured(function: Callable[..., _T], *arguments: Any) -> _T:
    """What ``function`` returns in a process of its own, which has everything that this one has imported."""
    # torch's threads do not outlive a fork; here none has been started, since all work is done in such processes
    with get_context("spawn" if _has_gpu() else "fork").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(function, arguments)


def measured_apart(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What ``function`` returns in a fresh process, which may start others, and the most memory of one of those.

    Returns:
        With the key ``helper``: the bytes ``rss`` and ``uss`` of the largest, as seen every 0.2 s.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, function, arguments))
    process.start()
    sender.close()
    helper = {"rss": 0, "uss": 0}
    while not receiver.poll(_LOOK_SECONDS):
        with suppress(psutil.Error):  # one ends meanwhile
            for child in psutil.Process(process.pid).children(recursive=True):
                used = child.memory_full_info()
                helper = {name: max(most, getattr(used, name)) for name, most in helper.items()}
    try:
        result: dict[str, Any] = receiver.recv()
    except EOFError:
        sys.exit(f"{function.__name__} has failed.")
    finally:
        process.join()
    return result | {"helper": helper}


def _send(sender: Connection, function: Callable[..., dict[str, Any]], arguments: Sequence[Any]) -> None:
    sender.send(function(*arguments))


def _has_gpu() -> bool:
    """CUDA, once asked whether it is there, does not survive a fork; libraries ask when they are imported."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available()


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and between which values it lies."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def report(name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], result: Any) -> None:
    """Print a table, and write ``result`` as JSON where build products go."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps({"machine": _machine(), "result": result}, indent=1) + "\n", "utf-8")
    console = Console(width=200)
    console.print(table)
    console.print(f"The single measurements are in {file}", highlight=False, soft_wrap=True)


def _machine() -> dict[str, Any]:
    versions = {}
    for package in ("torch", "transformers", "peft", "trl", "datasets"):
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version(), **versions}
